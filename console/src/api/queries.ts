import { keepPreviousData, QueryClient, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'preact/hooks';
import { useTexts } from '../i18n';
import { useToast } from '../ui/toast';
import { explanationOf } from '../lib/failures';
import { undo } from './trash';
import { beginAbsence, endAbsence } from './absence';
import type { Session, TrashUnit } from './types';
import { ApiError, api, dataOf, listOf } from './client';

export const PAGE_SIZE = 25;
const FRESH = 5_000; // milliseconds for which an answer is not asked for again
export const WATCH = 10_000; // milliseconds between two looks at a list that grows by pushes, while it is in sight
export const FOLLOW = 2_000; // the same of something that is under way

/** Asks again after what passes by itself, twice; a refusal stands. */
export function makeClient(): QueryClient {
  const passing = (error: unknown) =>
    error instanceof ApiError && (error.status === 0 || error.status === 429 || error.status >= 500);
  return new QueryClient({
    defaultOptions: {
      queries: { staleTime: FRESH, retry: (failures, error) => failures < 2 && passing(error) },
      mutations: { retry: false },
    },
  });
}

/** Filters of Harbor's `q`: `name=~text`, joined by commas. A comma or a backslash in the text is escaped. */
export function like(field: string, text: string | null): string | undefined {
  return text ? `${field}=~${text.replace(/[\\,~[\](){}=]/g, '\\$&')}` : undefined;
}

/** Who is signed in. Somebody whose session has ended stays, and is asked to sign in again. */
export function useSession() {
  return useQuery({
    queryKey: ['session'],
    queryFn: async ({ client }) => {
      const { user } = dataOf(await api.GET('/api/roadstead/v1/session'));
      const before = knownUser(client);
      if (user || !before) return user;
      void beginAbsence(before);
      return before;
    },
    staleTime: 60_000,
  });
}

/** Who was signed in when the console last heard of it; null for nobody, and while that is not known. */
export function knownUser(client: QueryClient): Session['user'] {
  return client.getQueryData<Session['user']>(['session']) ?? null;
}

export const SYSTEM = {
  queryKey: ['system'],
  queryFn: async () => dataOf(await api.GET('/api/v2.0/systeminfo')),
  staleTime: 600_000,
};

/** The OpenID Connect providers that people can sign in by. */
export const PROVIDERS = {
  queryKey: ['providers'],
  queryFn: async () => dataOf(await api.GET('/api/roadstead/v1/sign-in/providers')),
  staleTime: 600_000,
};

export function useProviders() {
  return useQuery(PROVIDERS);
}

export function useSystem(enabled = true) {
  return useQuery({ ...SYSTEM, enabled });
}

interface ListOptions {
  page: number;
  filter: string | null;
  sort: string | null;
}

export function useProjects({ page, filter, sort }: ListOptions) {
  return useQuery({
    queryKey: ['projects', { page, filter, sort }],
    queryFn: async () =>
      listOf(
        await api.GET('/api/v2.0/projects', {
          params: { query: { page, page_size: PAGE_SIZE, q: like('name', filter), sort: sort ?? undefined } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function useProject(project: string) {
  return useQuery({
    queryKey: ['project', project],
    queryFn: async () => dataOf(await api.GET('/api/v2.0/projects/{project}', { params: { path: { project } } })),
    staleTime: 30_000,
  });
}

export function useRepositories(project: string, { page, filter, sort }: ListOptions) {
  return useQuery({
    queryKey: ['repositories', project, { page, filter, sort }],
    queryFn: async () =>
      listOf(
        await api.GET('/api/v2.0/projects/{project_name}/repositories', {
          params: {
            path: { project_name: project },
            query: { page, page_size: PAGE_SIZE, q: like('name', filter), sort: sort ?? undefined },
          },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: WATCH,
  });
}

interface TagOptions {
  sort: string | null;
  prefix: string | null;
  after: string | null;
}

const ORDERS = ['name', '-name', 'pushed', '-pushed'] as const;

/** An order of tags that the registry knows; whatever else stands in an address means the default. */
function orderOf(sort: string | null) {
  return ORDERS.find((one) => one === sort);
}

export function useTags(project: string, repository: string, { sort, prefix, after }: TagOptions) {
  const byName = sort === 'name' || sort === '-name';
  return useQuery({
    queryKey: ['tags', project, repository, { sort, prefix, after }],
    queryFn: async () =>
      listOf(
        await api.GET('/api/roadstead/v1/projects/{project}/repositories/{repository}/tags', {
          params: {
            path: { project, repository },
            query: {
              sort: prefix && !byName ? 'name' : orderOf(sort),
              prefix: prefix ?? undefined,
              after: after ?? undefined,
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: after ? false : WATCH,
  });
}

export function useMembers(project: string, { page, filter }: Omit<ListOptions, 'sort'>) {
  return useQuery({
    queryKey: ['members', project, { page, filter }],
    queryFn: async () =>
      listOf(
        await api.GET('/api/v2.0/projects/{project}/members', {
          params: { path: { project }, query: { page, page_size: PAGE_SIZE, entityname: filter ?? undefined } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function useFoundUsers(text: string) {
  return useQuery({
    queryKey: ['users', 'search', text],
    queryFn: async () =>
      dataOf(await api.GET('/api/v2.0/users/search', { params: { query: { username: text, page_size: 8 } } })),
    enabled: text !== '',
    placeholderData: keepPreviousData,
  });
}

export function useFoundGroups(text: string) {
  return useQuery({
    queryKey: ['groups', 'search', text],
    queryFn: async () =>
      dataOf(await api.GET('/api/v2.0/usergroups/search', { params: { query: { groupname: text, page_size: 8 } } })),
    enabled: text !== '',
    placeholderData: keepPreviousData,
  });
}

export function useUsers({ page, filter, sort }: ListOptions) {
  return useQuery({
    queryKey: ['users', { page, filter, sort }],
    queryFn: async () =>
      listOf(
        await api.GET('/api/roadstead/v1/users', {
          params: { query: { page, page_size: PAGE_SIZE, q: like('username', filter), sort: sort ?? undefined } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** What the reader may see that `text` names; `limit` of each kind. */
export function useSearch(text: string, limit: number) {
  return useQuery({
    queryKey: ['search', text, limit],
    queryFn: async () => dataOf(await api.GET('/api/roadstead/v1/search', { params: { query: { q: text, limit } } })),
    enabled: text !== '',
    placeholderData: keepPreviousData,
  });
}

interface ActionOptions<T> {
  /** The first parts of the keys of what is to be asked for again. */
  refresh?: string[];
  /** What is said when it is done. */
  done?: string | ((input: T) => string);
  undo?: (input: T) => void;
  then?: (input: T) => void;
}

/**
 * Something that changes the registry. What it changes on the page is asked for again; nothing is shown beforehand.
 *
 * It does what the newest render says: `useMutation` by itself learns of a render a moment later, and Enter may follow
 * the last letter sooner than that.
 */
export function useAction<T = void>(run: (input: T) => Promise<unknown>, options: ActionOptions<T> = {}) {
  const client = useQueryClient();
  const say = useToast();
  const newest = useRef({ run, options });
  newest.current = { run, options };
  return useMutation({
    mutationFn: async (input: T) => {
      const { run, options } = newest.current;
      const { refresh = [], done, undo, then } = options;
      await run(input);
      await Promise.all(refresh.map((key) => client.invalidateQueries({ queryKey: [key] })));
      if (done) say(typeof done === 'string' ? done : done(input), undo && (() => undo(input)));
      then?.(input);
    },
  });
}

const tabs = new BroadcastChannel('roadstead.session');

/** Calls `listener` when somebody signs in or out in another tab. Returns what ends it. */
export function onOtherTab(listener: (user: Session['user']) => void): () => void {
  const hear = ({ data }: MessageEvent<Session['user']>) => listener(data);
  tabs.addEventListener('message', hear);
  return () => tabs.removeEventListener('message', hear);
}

/** Somebody has signed in or out in this tab: the others are told. Returns what `takeUser` does. */
export function changeUser(client: QueryClient, user: Session['user']): boolean {
  tabs.postMessage(user);
  return takeUser(client, user);
}

/**
 * Somebody is signed in, or nobody is any longer. What was shown to somebody else is forgotten; what was shown to the same
 * user stays, and is asked for again. Returns whether it is the same user.
 */
export function takeUser(client: QueryClient, user: Session['user']): boolean {
  const others = { predicate: (query: { queryKey: readonly unknown[] }) => query.queryKey[0] !== 'session' };
  const same = user !== null && user.name === knownUser(client)?.name;
  client.setQueryData(['session'], user);
  if (same) void client.invalidateQueries(others, { cancelRefetch: false }); // what waits is sent again anyway
  else {
    client.removeQueries({ ...others, type: 'inactive' });
    void client.resetQueries({ ...others, type: 'active' });
  }
  endAbsence(same);
  return same;
}

interface ArtifactPath {
  project: string;
  repository: string;
  reference: string;
}

/** The path of an artifact in the API. */
export function pathOf({ project, repository, reference }: ArtifactPath) {
  return { path: { project_name: project, repository, reference } };
}

export function useArtifact(at: ArtifactPath) {
  return useQuery({
    queryKey: ['artifact', at],
    queryFn: async () =>
      dataOf(
        await api.GET('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}', {
          params: { ...pathOf(at), query: { with_accessory: false, with_label: true } },
        }),
      ),
    enabled: at.reference !== '',
    placeholderData: keepPreviousData,
  });
}

/** How many signatures, SBOMs and the like refer to an artifact, in `total`. */
export function useAccessories(at: ArtifactPath) {
  return useQuery({
    queryKey: ['accessories', at, 'count'],
    queryFn: async () =>
      listOf(
        await api.GET('/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/accessories', {
          params: { ...pathOf(at), query: { page_size: 1 } },
        }),
      ),
  });
}

/** A step of the build of an image. */
export interface Step {
  created?: string;
  created_by?: string;
  empty_layer?: boolean;
  comment?: string;
}

/** An artifact's layers, the lowest first; an index has none. They never change. */
export function useLayers({ project, repository, reference }: ArtifactPath, there: boolean) {
  return useQuery({
    queryKey: ['layers', project, repository, reference],
    queryFn: async () =>
      dataOf(
        await api.GET('/api/roadstead/v1/projects/{project_name}/repositories/{repository}/artifacts/{reference}/layers', {
          params: { path: { project_name: project, repository, reference } },
        }),
      ),
    enabled: there,
    staleTime: 60_000, // the history follows a moment after the push
  });
}

/** A text that was extracted from an artifact when it was pushed; null where there is none. */
export function useAddition(at: ArtifactPath, addition: string, there: boolean) {
  return useQuery({
    queryKey: ['addition', at, addition],
    queryFn: async () => {
      const path = '/api/v2.0/projects/{project_name}/repositories/{repository}/artifacts/{reference}/additions/{addition}';
      const { data } = await api.GET(path, { params: { path: { ...pathOf(at).path, addition } }, parseAs: 'text' });
      return String(data);
    },
    enabled: there,
    staleTime: Number.POSITIVE_INFINITY, // it never changes
  });
}

export type Rows<T> = { data?: T[]; response: Response };

export interface RowsOptions<T> {
  enabled?: boolean;
  watch?: (rows: T[]) => number | false;
}

/**
 * A list, by a key that begins with what changes it. The last page stays while the next one loads. `watch` says after how
 * many milliseconds it is asked for again while it is in sight.
 */
export function useRows<T>(key: unknown[], ask: () => Promise<Rows<T>>, { enabled = true, watch }: RowsOptions<T> = {}) {
  return useQuery({
    queryKey: key,
    queryFn: async () => listOf(await ask()),
    placeholderData: keepPreviousData,
    enabled,
    refetchInterval: (query) => (watch && query.state.data ? watch(query.state.data.rows) : false),
  });
}

const BATCH = 100; // rows of one call

/** All rows of a list that the registry bounds at a thousand or so, however many pages it takes. */
export function useAllRows<T>(key: unknown[], ask: (query: { page: number; page_size: number }) => Promise<Rows<T>>, enabled = true) {
  return useQuery({
    queryKey: key,
    queryFn: async () => {
      const rows: T[] = [];
      for (let page = 1; ; page += 1) {
        const found = listOf(await ask({ page, page_size: BATCH }));
        rows.push(...found.rows);
        if (found.rows.length < BATCH || rows.length === found.total) return rows;
      }
    },
    enabled,
  });
}

/** One thing. */
export function useOne<T>(key: unknown[], ask: () => Promise<{ data?: T }>, enabled = true) {
  return useQuery({ queryKey: key, queryFn: async () => dataOf(await ask()), enabled });
}

/** Brings back what was deleted last that `is` finds in a repository. Says so, or why it cannot. */
export function useUndo({ project, repository }: { project: string; repository: string }, is: (unit: TrashUnit) => boolean) {
  const client = useQueryClient();
  const say = useToast();
  const { t } = useTexts();
  return {
    mutate: async () => {
      try {
        await undo(project, repository, is);
        say(t('trash.undone'));
      } catch (error) {
        say(t('trash.notUndone', { reason: t(explanationOf(error)) }));
      }
      await client.invalidateQueries();
    },
  };
}
