import type { Message } from '../i18n';

/** Harbor's roles by their ids, with the most rights first. */
export const ROLES = [1, 4, 2, 3, 5] as const;
const NAMES: Record<number, [name: Message, hint: Message]> = {
  1: ['role.admin', 'role.admin.hint'],
  2: ['role.developer', 'role.developer.hint'],
  3: ['role.guest', 'role.guest.hint'],
  4: ['role.maintainer', 'role.maintainer.hint'],
  5: ['role.limitedGuest', 'role.limitedGuest.hint'],
};

export function roleName(id: number): Message {
  return NAMES[id]?.[0] ?? 'role.guest';
}

export function roleHint(id: number): Message {
  return NAMES[id]?.[1] ?? 'role.guest.hint';
}

/** Where a group comes from, by its `group_type`. */
export const GROUP_KINDS = { 1: 'groups.ldap', 2: 'groups.local', 3: 'groups.oidc' } as const satisfies Record<number, Message>;

const [ADMIN, DEVELOPER, GUEST, MAINTAINER] = [1, 2, 3, 4];
const WRITERS = [ADMIN, MAINTAINER, DEVELOPER];
const KEEPERS = [ADMIN, MAINTAINER];
/** Who may do what in a project, as far as pages ask: from roadstead/identity/roles.py, which decides. */
const RIGHTS = {
  listMembers: [...WRITERS, GUEST],
  editMembers: [ADMIN],
  editProject: [ADMIN],
  push: WRITERS,
  describe: WRITERS,
  remove: KEEPERS,
  seeLog: [ADMIN],
  listRobots: [...WRITERS, GUEST],
  editRobots: [ADMIN],
  seePolicies: WRITERS,
  editRetention: WRITERS,
  seeImmutability: KEEPERS,
  editImmutability: KEEPERS,
  listWebhooks: KEEPERS,
  editWebhooks: [ADMIN],
  listTrash: KEEPERS,
  emptyTrash: [ADMIN],
  editLabels: KEEPERS,
  label: WRITERS,
} as const;
export type Right = keyof typeof RIGHTS;

/** Whether a role has a right; a system administrator has every one. Buttons follow this; the registry enforces it. */
export function may(right: Right, role: number | undefined, admin: boolean): boolean {
  return admin || (role !== undefined && (RIGHTS[right] as readonly (number | undefined)[]).includes(role));
}
