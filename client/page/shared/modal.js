/** A modal dialog that covers the whole page. */

/**
 * Show children in a container and make the rest of the page inert.
 *
 * @param {HTMLElement} container a child of the body; empty and hidden before and after
 * @param {...Node} children
 * @returns {() => void} closes the dialog and restores the focus
 */
export function openModal(container, ...children) {
  const focused = document.activeElement;
  const others = [...document.body.children].filter(
    (other) => other instanceof HTMLElement && other !== container && !other.inert,
  );
  for (const other of others) /** @type {HTMLElement} */ (other).inert = true;
  container.replaceChildren(...children);
  container.hidden = false;
  container.tabIndex = -1;
  container.focus();
  return () => {
    container.hidden = true;
    container.replaceChildren();
    for (const other of others) /** @type {HTMLElement} */ (other).inert = false;
    if (focused instanceof HTMLElement) focused.focus();
  };
}
