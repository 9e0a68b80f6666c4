import { useEffect, useState } from 'preact/hooks';
import type { Person } from './types';

/**
 * The time from the end of a session until the same user signs in again or leaves the page. The page stays meanwhile, and
 * what it asks for waits. There is at most one absence, however many requests are refused.
 */
interface Absence {
  user: Person;
  /** Whether the same user has come back. */
  over: Promise<boolean>;
  end: (back: boolean) => void;
}

let absence: Absence | null = null;
let returns = 0;
const listeners = new Set<() => void>();

function become(next: Absence | null): void {
  absence = next;
  for (const listener of listeners) listener();
}

/** Begins the absence of `user` unless it has begun. Resolves when it is over, to whether the same user is back. */
export function beginAbsence(user: Person): Promise<boolean> {
  if (absence) return absence.over;
  let end: Absence['end'] = () => undefined;
  const over = new Promise<boolean>((resolve) => (end = resolve));
  become({ user, over, end });
  return over;
}

/** Ends the absence, if there is one: the same user is back, or will not be. */
export function endAbsence(back: boolean): void {
  if (back) returns += 1;
  const ended = absence;
  become(null);
  ended?.end(back);
}

/** How often somebody has come back. A request from before the last time was refused for a session that is past. */
export function returnsSoFar(): number {
  return returns;
}

/** Who is asked to sign in again. */
export function absentUser(): Person | null {
  return absence?.user ?? null;
}

export function useAbsentUser(): Person | null {
  const [user, setUser] = useState(absentUser());
  useEffect(() => {
    const listener = () => setUser(absentUser());
    listener();
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, []);
  return user;
}
