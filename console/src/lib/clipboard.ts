/**
 * Copies a text. Browsers give `navigator.clipboard` to pages of HTTPS and of the machine itself alone; on plain HTTP in a
 * local network a selection is copied.
 */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const before = document.activeElement as HTMLElement | null;
  const field = document.createElement('textarea');
  field.value = text;
  field.readOnly = true;
  field.className = 'visually-hidden';
  (before?.closest('dialog') ?? document.body).append(field); // what is outside of a modal dialog cannot be selected
  field.focus({ preventScroll: true });
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  before?.focus({ preventScroll: true });
  if (!copied) throw new Error('this browser lets no page copy');
}
