/** Light, dark, or as the browser prefers. */
export type Theme = 'auto' | 'light' | 'dark';

const STORED = 'roadstead.theme';

export function theme(): Theme {
  const chosen = localStorage.getItem(STORED);
  return chosen === 'light' || chosen === 'dark' ? chosen : 'auto';
}

export function setTheme(chosen: Theme): void {
  if (chosen === 'auto') localStorage.removeItem(STORED);
  else localStorage.setItem(STORED, chosen);
  applyTheme();
}

export function applyTheme(): void {
  const chosen = theme();
  if (chosen === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = chosen;
}
