/**
 * Empties a field that may have the focus. WebKit paints the whole window anew when what the caret stands in goes away,
 * so the caret steps out of it meanwhile; the focus stays.
 */
export function emptyField(field: HTMLTextAreaElement): void {
  const focused = document.activeElement === field;
  if (focused) getSelection()?.removeAllRanges();
  field.value = "";
  if (focused) field.setSelectionRange(0, 0);
}
