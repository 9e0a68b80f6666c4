/**
 * A page that was opened before a deployment goes on working. Only a part that it had not loaded yet is gone: then the
 * page is loaded again, once, at the address that somebody was going to.
 */
const RELOADED = 'roadstead.reloaded';

export function stayCurrent(): void {
  window.addEventListener('vite:preloadError', (event) => {
    const before = Number(sessionStorage.getItem(RELOADED) ?? 0);
    if (Date.now() - before < 30_000) return; // it failed again: let the page say so
    event.preventDefault();
    sessionStorage.setItem(RELOADED, String(Date.now()));
    window.location.reload();
  });
}
