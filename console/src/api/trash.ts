import { api, ApiError, SLOW } from './client';
import type { TrashUnit } from './types';

const PAUSE = 1_000; // milliseconds between two looks at work that is under way
const PATIENCE = 120_000; // milliseconds

/** Restores a unit, and waits until it is there again. Throws what the registry says against it. */
export async function restore(project: string, unit: string, tags?: Record<string, string>): Promise<void> {
  const answer = await api.POST('/api/roadstead/v1/projects/{project}/trash/{unit}/restore', {
    params: { path: { project, unit } },
    body: tags ? { tags } : {},
  });
  await finished(answer.response);
}

/** Restores what was deleted last that `is` finds, of a repository. */
export async function undo(project: string, repository: string, is: (unit: TrashUnit) => boolean): Promise<void> {
  const { data } = await api.GET('/api/roadstead/v1/projects/{project}/trash', { params: { path: { project }, query: { repository } } });
  const unit = data?.find(is);
  if (!unit) throw new ApiError(404, 'NOT_FOUND', '', '');
  await restore(project, unit.id);
}

/** Waits for the execution that an answer leads to, if it does. Throws what it failed of. */
export async function finished(response: Response): Promise<void> {
  const id = /\/executions\/(\w+)$/.exec(response.headers.get('Location') ?? '')?.[1];
  if (!id) return;
  const until = Date.now() + PATIENCE;
  for (;;) {
    const { data } = await api.GET('/api/roadstead/v1/executions/{execution}', { params: { path: { execution: id } } });
    if (data?.status === 'Success') return;
    if (data?.status === 'Error' || data?.status === 'Stopped') throw new ApiError(412, data.status, data.message, id);
    if (Date.now() > until) throw new ApiError(0, SLOW, '', id);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}
