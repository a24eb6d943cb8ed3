/** Single-key shortcuts, which work wherever the focus is not on a control that takes keys itself. */

/** @param {() => Record<string, () => unknown>} actions by key, as they are at that moment */
export function listenForShortcuts(actions) {
  document.addEventListener('keydown', (event) => {
    const onControl = event.target instanceof HTMLElement && event.target.closest('button, input, select, a, summary');
    if (onControl || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = actions()[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
