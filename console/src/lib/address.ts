import { useLocation } from 'preact-iso';
import { useMemo } from 'preact/hooks';

type Changes = Record<string, string | null>;

/** The query of the page's address, where filters, orders and pages stand, so that a view can be shared. */
export function useAddress() {
  const { path, url, route } = useLocation();
  return useMemo(() => {
    const query = new URL(url, window.location.origin).searchParams;
    const hrefWith = (changes: Changes) => {
      const next = new URLSearchParams(query);
      for (const [name, value] of Object.entries(changes))
        if (value === null) next.delete(name);
        else next.set(name, value);
      const text = next.toString();
      return text ? `${path}?${text}` : path;
    };
    const page = Math.max(1, Number.parseInt(query.get('page') ?? '1', 10) || 1);
    return { path, query, page, hrefWith, route, change: (changes: Changes) => route(hrefWith(changes), true) };
  }, [path, url, route]);
}
