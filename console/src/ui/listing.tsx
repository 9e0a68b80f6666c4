import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Listed } from '../api/client';
import { PAGE_SIZE, type Rows, type RowsOptions, useRows } from '../api/queries';
import { useTexts } from '../i18n';
import { useAddress } from '../lib/address';
import type { Words } from '../lib/failures';
import { Pager, Table, Turner, Waiting } from './data';
import { Failure } from './feedback';

interface ListingProps<T> {
  label: string;
  /** What a query of a list returns. */
  list: {
    data?: Listed<T>;
    isPending: boolean;
    isError: boolean;
    error: unknown;
    isPlaceholderData: boolean;
    refetch: () => unknown;
  };
  /** The heads of the columns; what is not a head is left out. */
  head: (ComponentChildren | false)[];
  /** Whether a last column has what can be done with a row. */
  actions?: boolean;
  row: (one: T) => ComponentChildren;
  /** Filters and buttons above the list. */
  bar?: ComponentChildren;
  /** What stands in place of a list in which there is nothing yet. */
  none?: ComponentChildren;
  /** Whether a filter hides what there is. */
  filtered?: boolean;
  /** What certain refusals mean for this list. */
  words?: Words;
  /** Rows of grey bars until the first answer. */
  waiting?: number;
}

/** A list with numbered pages: while it loads, when it cannot be read, when it is empty, and its rows. */
export function Listing<T>({ label, list, head, actions, row, bar, none, filtered, words, waiting }: ListingProps<T>) {
  const { t } = useTexts();
  const { page } = useAddress();
  const heads = head.filter((one) => one);
  const columns = heads.length + (actions ? 1 : 0);
  const empty = list.data?.rows.length === 0;
  if (empty && none && !filtered && page === 1 && !list.isError) return <div class="card">{none}</div>;
  return (
    <>
      {bar && <div class="bar">{bar}</div>}
      {list.isError ? (
        <Failure error={list.error} retry={() => void list.refetch()} words={words} />
      ) : (
        <Table
          label={label}
          waiting={list.isPlaceholderData}
          head={
            <>
              {heads}
              {actions && (
                <th>
                  <span class="visually-hidden">{t('actions')}</span>
                </th>
              )}
            </>
          }
        >
          {list.isPending && <Waiting columns={columns} rows={waiting} />}
          {list.data?.rows.map(row)}
          {empty && (
            <tr>
              <td colSpan={columns} class="muted">
                {t('nothingFound')}
              </td>
            </tr>
          )}
        </Table>
      )}
      <Pager page={page} size={PAGE_SIZE} total={list.data?.total ?? null} />
    </>
  );
}

/** A list within a card or a dialog, page by page, and what turns its pages; nothing where there is only one. */
export function usePages<T>(key: unknown[], size: number, ask: (query: { page: number; page_size: number }) => Promise<Rows<T>>, options?: RowsOptions<T>) {
  const [page, turn] = useState(1);
  const list = useRows<T>([...key, page], () => ask({ page, page_size: size }), options);
  const total = list.data?.total ?? null;
  const pager = total !== null && total > size && <Turner page={page} size={size} total={total} turn={turn} />;
  return { ...list, pager };
}
