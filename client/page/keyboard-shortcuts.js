/** Single keys that do something, wherever the focus is not on a control that wants them itself. */

/** @param {() => Record<string, () => unknown>} actions by key, as they are at that moment */
export function onKeys(actions) {
  document.addEventListener('keydown', (event) => {
    const onControl = event.target instanceof HTMLElement && event.target.closest('button, input, select, a, summary');
    if (onControl || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = actions()[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
