import type { Page } from 'playwright-core';

/** Every page, by the name of its screenshot. */
export const PAGES: [name: string, path: string][] = [
  ['home', '/ui'],
  ['projects', '/ui/projects'],
  ['repositories', '/ui/p/harbour'],
  ['repositories-empty', '/ui/p/archive'],
  ['members', '/ui/p/harbour/members'],
  ['robots', '/ui/p/harbour/robots'],
  ['policies', '/ui/p/harbour/policies'],
  ['webhooks', '/ui/p/harbour/webhooks'],
  ['trash', '/ui/p/harbour/trash'],
  ['activity', '/ui/p/harbour/activity'],
  ['project-settings', '/ui/p/harbour/settings'],
  ['tags', '/ui/p/harbour/r/api'],
  ['untagged', '/ui/p/harbour/r/web/frontend/-/untagged'],
  ['repository-description', '/ui/p/harbour/r/api/-/info'],
  ['tags-many', '/ui/p/harbour/r/nightly'],
  ['artifact', '/ui/p/harbour/r/api/-/a/2.1.0'],
  ['artifact-image', '/ui/p/harbour/r/web/backend/-/a/main'],
  ['compare', '/ui/p/harbour/r/web/frontend/-/compare/main/fix-berth-allocation'],
  ['results', '/ui/search?q=a'],
  ['results-empty', '/ui/search'],
  ['overview', '/ui/admin'],
  ['groups', '/ui/admin/groups'],
  ['quotas', '/ui/admin/quotas'],
  ['cost', '/ui/admin/cost'],
  ['providers', '/ui/admin/providers'],
  ['configuration', '/ui/admin/configuration'],
  ['users', '/ui/admin/users'],
  ['locks', '/ui/admin/locks'],
  ['system-robots', '/ui/admin/robots'],
  ['collector', '/ui/admin/collector'],
  ['labels', '/ui/admin/labels'],
  ['audit', '/ui/admin/audit'],
  ['tokens', '/ui/account'],
  ['sessions', '/ui/account/sessions'],
  ['profile', '/ui/account/profile'],
  ['account', '/ui/account/password'],
  ['nowhere', '/ui/nothing-here'],
];

/** What opens above a page: the name of its screenshot, the page, and how it is opened. */
export const DIALOGS: [name: string, path: string, open: (page: Page) => Promise<void>][] = [
  ['new-project', '/ui/projects', (page) => page.getByRole('button', { name: 'New project' }).click()],
  ['add-member', '/ui/p/harbour/members', (page) => page.getByRole('button', { name: 'Add a member' }).click()],
  [
    'add-group',
    '/ui/p/harbour/members',
    async (page) => {
      await page.getByRole('button', { name: 'Add a member' }).click();
      await page.getByRole('button', { name: 'Group', exact: true }).click();
      await page.getByLabel('Group', { exact: true }).fill('qua');
      await page.getByRole('radio', { name: 'quay' }).check();
    },
  ],
  [
    'limit-member',
    '/ui/p/harbour/members',
    async (page) => {
      await page.getByRole('button', { name: 'Limit brendan to repositories' }).click();
      await page.getByLabel('Only in repositories like').waitFor();
    },
  ],
  ['remove-member', '/ui/p/harbour/members', (page) => page.getByRole('button', { name: 'Remove brendan' }).click()],
  ['delete-artifact', '/ui/p/harbour/r/api/-/a/2.1.0', (page) => page.getByRole('button', { name: 'Delete' }).click()],
  ['add-tag', '/ui/p/harbour/r/api/-/a/2.1.0', (page) => page.getByRole('button', { name: 'Add a tag' }).click()],
  ['new-robot', '/ui/p/harbour/robots', (page) => page.getByRole('button', { name: 'New robot' }).click()],
  [
    'edit-robot',
    '/ui/p/harbour/robots',
    async (page) => {
      await page.getByRole('button', { name: /^Actions for robot\$harbour\+ci/ }).click();
      await page.getByRole('button', { name: 'Rights and expiry' }).click();
      await page.getByLabel('Only in repositories like').waitFor();
    },
  ],
  [
    'trust-robot',
    '/ui/p/harbour/robots',
    async (page) => {
      await page.getByRole('button', { name: /^Actions for robot\$harbour\+ci/ }).click();
      await page.getByRole('button', { name: 'Sign in without a secret' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Add a rule' }).click();
    },
  ],
  ['new-system-robot', '/ui/admin/robots', (page) => page.getByRole('button', { name: 'New robot' }).first().click()],
  ['new-immutability', '/ui/p/harbour/policies', (page) => page.getByRole('button', { name: 'Add a rule' }).last().click()],
  ['new-webhook', '/ui/p/harbour/webhooks', (page) => page.getByRole('button', { name: 'New webhook' }).click()],
  ['new-token', '/ui/account', (page) => page.getByRole('button', { name: 'New token' }).click()],
  ['edit-quota', '/ui/admin/quotas', (page) => page.getByRole('button', { name: 'Limit of harbour' }).click()],
  [
    'delete-tags',
    '/ui/p/harbour/r/nightly',
    async (page) => {
      await page.getByLabel('Choose build-060').check();
      await page.getByLabel('Choose build-059').check();
      await page.getByRole('button', { name: 'Delete 2 tags' }).click();
    },
  ],
  ['new-label', '/ui/admin/labels', (page) => page.getByRole('button', { name: 'New label' }).click()],
  ['new-provider', '/ui/admin/providers', (page) => page.getByRole('button', { name: 'New provider' }).click()],
  ['new-user', '/ui/admin/users', (page) => page.getByRole('button', { name: 'New user' }).click()],
  ['user-menu', '/ui/admin/users', (page) => page.getByRole('button', { name: 'Actions for brendan' }).click()],
  ['preferences', '/ui/projects', (page) => page.getByRole('button', { name: 'Appearance and language' }).click()],
  [
    'search',
    '/ui/projects',
    async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('combobox').fill('har');
      await page.getByRole('option').first().waitFor();
    },
  ],
];
