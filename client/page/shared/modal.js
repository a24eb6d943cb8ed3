/** A part of the page that covers all others for a while, as a modal dialog. */

/**
 * Show children in `place` and keep the rest of the page out of reach.
 *
 * @param {HTMLElement} place a child of the body; empty and hidden before and after
 * @param {...Node} children
 * @returns {() => void} uncovers the page again and gives the focus back
 */
export function cover(place, ...children) {
  const focused = document.activeElement;
  const others = [...document.body.children].filter(
    (other) => other instanceof HTMLElement && other !== place && !other.inert,
  );
  for (const other of others) /** @type {HTMLElement} */ (other).inert = true;
  place.replaceChildren(...children);
  place.hidden = false;
  place.tabIndex = -1;
  place.focus();
  return () => {
    place.hidden = true;
    place.replaceChildren();
    for (const other of others) /** @type {HTMLElement} */ (other).inert = false;
    if (focused instanceof HTMLElement) focused.focus();
  };
}
