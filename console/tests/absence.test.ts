import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const answers = vi.hoisted(() => {
  const fetching = vi.fn<(request: Request) => Promise<Response>>();
  vi.stubGlobal('fetch', fetching); // before the client keeps it
  return fetching;
});
import { absentUser, beginAbsence, endAbsence } from '../src/api/absence';
import { api, ApiError, onSignedOut } from '../src/api/client';
import { knownUser, takeUser } from '../src/api/queries';
import type { Person } from '../src/api/types';

const person = (name: string) => ({ name, admin: false }) as Person;
const refusal = () => Response.json({ errors: [{ code: 'UNAUTHORIZED', message: 'sign in' }] }, { status: 401 });
const get = () => api.GET('/api/v2.0/systeminfo');
const post = () => api.POST('/api/v2.0/projects', { body: { project_name: 'ships' } });

let client: QueryClient;
beforeEach(() => {
  answers.mockReset();
  client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  client.setQueryData(['session'], person('grace'));
  onSignedOut(async () => {
    const user = knownUser(client);
    return user ? beginAbsence(user) : false;
  });
});
afterEach(() => endAbsence(false));

describe('a session that ends', () => {
  test('keeps what is asked for waiting, and sends it again when the same user is back', async () => {
    answers.mockImplementation(() => Promise.resolve(refusal()));
    const asked = [get(), get(), get()];
    await vi.waitFor(() => expect(absentUser()?.name).toBe('grace'));
    await vi.waitFor(() => expect(answers).toHaveBeenCalledTimes(3));
    answers.mockImplementation(() => Promise.resolve(Response.json({ harbor_version: 'v2' })));
    expect(takeUser(client, person('grace'))).toBe(true);
    for (const answer of await Promise.all(asked)) expect(answer.data).toEqual({ harbor_version: 'v2' });
    expect(absentUser()).toBeNull();
    expect(answers).toHaveBeenCalledTimes(6);
  });

  test('refuses what changes something at once, and never sends it again', async () => {
    answers.mockImplementation(() => Promise.resolve(refusal()));
    await expect(post()).rejects.toMatchObject({ status: 401 });
    expect(absentUser()?.name).toBe('grace');
    takeUser(client, person('grace'));
    expect(answers).toHaveBeenCalledTimes(1);
  });

  test.each([null, person('linus')])('refuses what waits when %o is there instead', async (user) => {
    answers.mockImplementation(() => Promise.resolve(refusal()));
    const asked = get();
    const refused = expect(asked).rejects.toBeInstanceOf(ApiError);
    await vi.waitFor(() => expect(absentUser()).not.toBeNull());
    expect(takeUser(client, user)).toBe(false);
    await refused;
    expect(absentUser()).toBeNull();
    expect(answers).toHaveBeenCalledTimes(1);
  });

  test('asks nobody who was not signed in', async () => {
    client.setQueryData(['session'], null);
    answers.mockImplementation(() => Promise.resolve(refusal()));
    await expect(get()).rejects.toMatchObject({ status: 401 });
    expect(absentUser()).toBeNull();
  });

  test('begins no second absence by the late refusal of a request from before the return', async () => {
    let refuse: (answer: Response) => void = () => undefined;
    answers.mockImplementationOnce(() => new Promise((resolve) => (refuse = resolve)));
    const late = get();
    await vi.waitFor(() => expect(answers).toHaveBeenCalledTimes(1));
    void beginAbsence(person('grace'));
    takeUser(client, person('grace'));
    answers.mockImplementation(() => Promise.resolve(Response.json({ harbor_version: 'v2' })));
    refuse(refusal());
    expect((await late).data).toEqual({ harbor_version: 'v2' });
    expect(absentUser()).toBeNull();
  });
});

describe('what a page has shown', () => {
  const shown = async () => {
    const ask = vi.fn().mockResolvedValue('text');
    const observer = new QueryObserver(client, { queryKey: ['profile'], queryFn: ask });
    const states: unknown[] = [];
    const end = observer.subscribe(({ data }) => states.push(data));
    await vi.waitFor(() => expect(observer.getCurrentResult().data).toBe('text'));
    states.length = 0;
    return { ask, states, end };
  };

  test('stays for the same user, and is asked for again', async () => {
    const { ask, states, end } = await shown();
    takeUser(client, person('grace'));
    await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2));
    expect(states).not.toContain(undefined);
    end();
  });

  test('is forgotten for another one', async () => {
    const { ask, states, end } = await shown();
    takeUser(client, person('linus'));
    await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2));
    expect(states).toContain(undefined);
    end();
  });
});
