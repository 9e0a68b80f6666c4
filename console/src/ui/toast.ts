import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

export type Say = (text: string, undo?: () => void) => void;
export const ToastContext = createContext<Say>(() => undefined);

/** Says what was done, at the foot of the page, with a button that undoes it where that is possible. */
export function useToast(): Say {
  return useContext(ToastContext);
}
