/** Where in the console somebody is: what the path of the page says. A repository's name may have slashes. */
export type Place =
  | { page: 'sign-in' }
  | { page: 'home' }
  | { page: 'choose-name' }
  | { page: 'projects' }
  | { page: 'search' }
  | { page: 'project'; project: string; tab: string }
  | { page: 'repository'; project: string; repository: string; tab: string }
  | { page: 'artifact'; project: string; repository: string; reference: string }
  | { page: 'compare'; project: string; repository: string; left: string; right: string }
  | { page: 'administration'; tab: string }
  | { page: 'account'; tab: string }
  | { page: 'unknown' };

const ROOT = '/ui';

export function placeOf(path: string): Place {
  const [first, ...rest] = path
    .slice(ROOT.length)
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  switch (first) {
    case undefined:
      return { page: 'home' };
    case 'projects':
      return rest.length ? { page: 'unknown' } : { page: 'projects' };
    case 'search':
      return rest.length ? { page: 'unknown' } : { page: 'search' };
    case 'sign-in':
    case 'choose-name':
      return { page: first };
    case 'admin':
      return rest.length < 2 ? { page: 'administration', tab: rest[0] ?? 'overview' } : { page: 'unknown' };
    case 'account':
      return rest.length < 2 ? { page: 'account', tab: rest[0] ?? 'tokens' } : { page: 'unknown' };
    case 'p':
      return inProject(rest);
    default:
      return { page: 'unknown' };
  }
}

function inProject([project, kind, ...rest]: string[]): Place {
  if (!project) return { page: 'unknown' };
  if (kind !== 'r') return rest.length ? { page: 'unknown' } : { page: 'project', project, tab: kind ?? 'repositories' };
  const end = rest.lastIndexOf('-');
  const repository = (end < 0 ? rest : rest.slice(0, end)).join('/');
  const [page, left, right] = end < 0 ? [] : rest.slice(end + 1);
  if (!repository) return { page: 'unknown' };
  if (page === undefined) return { page: 'repository', project, repository, tab: 'tags' };
  if (page === 'a' && left) return { page: 'artifact', project, repository, reference: left };
  if (page === 'compare') return { page: 'compare', project, repository, left: left ?? '', right: right ?? '' };
  return left === undefined ? { page: 'repository', project, repository, tab: page } : { page: 'unknown' };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const enc = encodeURIComponent;
const below = (project: string, repository: string) =>
  `${ROOT}/p/${enc(project)}/r/${repository.split('/').map(enc).join('/')}`;

/** The paths of pages. */
export const to = {
  signIn: (back?: string) => `${ROOT}/sign-in${back ? `?back=${enc(back)}` : ''}`,
  /** The same, for somebody whose session has ended in the middle of something. */
  signInAgain: (back: string) => `${ROOT}/sign-in?back=${enc(back)}&ended=1`,
  home: () => ROOT,
  projects: () => `${ROOT}/projects`,
  search: (text?: string) => `${ROOT}/search${text ? `?q=${enc(text)}` : ''}`,
  labelled: (label: number, name: string, project: string | null) =>
    `${ROOT}/search?label=${label}&name=${enc(name)}${project ? `&project=${enc(project)}` : ''}`,
  project: (project: string, tab?: string) => `${ROOT}/p/${enc(project)}${tab ? `/${tab}` : ''}`,
  repository: (project: string, repository: string, tab?: string) =>
    below(project, repository) + (tab ? `/-/${tab}` : ''),
  artifact: (project: string, repository: string, reference: string) =>
    `${below(project, repository)}/-/a/${enc(reference)}`,
  compare: (project: string, repository: string, left: string, right: string) =>
    `${below(project, repository)}/-/compare/${enc(left)}/${enc(right)}`,
  administration: (tab?: string) => `${ROOT}/admin${tab ? `/${tab}` : ''}`,
  account: (tab?: string) => `${ROOT}/account${tab ? `/${tab}` : ''}`,
};

/** Where an OpenID Connect provider signs somebody in, who comes back to `back`; and where the registry signs out of it. */
export const provider = {
  signIn: (url: string, back: string) => `${url}${url.includes('?') ? '&' : '?'}redirect_url=${enc(back)}`,
  signOut: '/c/log_out',
};

/** A full name `project/a/b` in its two parts. */
export function splitName(name: string): [project: string, repository: string] {
  const at = name.indexOf('/');
  return at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
}

/** Where to go after signing in: a page of the console and nothing else, whatever the link says. */
export function backOf(query: string | undefined): string {
  return query && /^\/ui(\/|$)/.test(query) && !query.includes('\\') ? query : to.home();
}
