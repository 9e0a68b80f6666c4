import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { errorsOf, newWindow, openBrowser, settled, signIn } from './browser';
import { PEOPLE_PASSWORD } from './harbour';
import { Client } from './registry';

const MARK = Date.now().toString(36);
const [PROJECT, USER] = [`dock-${MARK}`, `olga-${MARK}`];
const admin = new Client();
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

test('a form sends what was typed last, however soon Enter follows', async () => {
  const [project, name] = [`swift-${MARK}`, `sven-${MARK}`];
  await admin.manage('POST', 'v2.0/projects', { project_name: project, metadata: { public: 'false' } });
  await admin.manage('POST', 'v2.0/users', { username: name, password: PEOPLE_PASSWORD, email: `${name}@example.com`, realname: name });
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(`/ui/p/${project}/members`);
  await page.getByRole('button', { name: 'Add a member' }).click();
  const field = page.getByRole('combobox', { name: 'User' });
  await field.fill(name.slice(0, -1));
  await page.getByRole('dialog').getByRole('button', { name: 'Add' }).and(page.locator(':enabled')).waitFor();
  await field.evaluate(async (one: HTMLInputElement, name) => {
    one.value = name;
    one.dispatchEvent(new Event('input', { bubbles: true }));
    for (let microtasks = 0; microtasks < 10; microtasks += 1) await null; // sooner than the browser paints
    one.form?.requestSubmit();
  }, name);
  await page.getByRole('dialog').getByText(`${name} is a member`).waitFor();
  await window.close();
});

test('an administrator makes a project and a user, and gives the user rights that hold', async () => {
  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.getByRole('link', { name: 'Projects' }).click();
  await page.getByRole('button', { name: 'New project' }).first().click();
  await page.getByLabel('Name', { exact: true }).fill(PROJECT);
  await page.getByRole('button', { name: 'Create' }).click();
  await page.waitForURL(`**/ui/p/${PROJECT}`);

  await page.goto('/ui/admin/users');
  await page.getByRole('button', { name: 'New user' }).click();
  await page.getByLabel('Name', { exact: true }).fill(USER);
  const password = await page.getByLabel('Password', { exact: true }).inputValue();
  expect(password).toMatch(/^\w{20}$/);
  await page.getByRole('button', { name: 'Create' }).click();
  await page.getByText('The password is shown once').waitFor();
  await page.getByRole('button', { name: 'Done' }).click();

  await page.goto(`/ui/p/${PROJECT}/members`);
  await page.getByRole('button', { name: 'Add a member' }).click();
  await page.getByRole('combobox', { name: 'User' }).fill(USER);
  await page.getByRole('radio', { name: /^Developer/ }).check();
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText(`docker login -u ${USER}`).waitFor();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('row', { name: new RegExp(USER) }).waitFor();

  await new Client(USER, password).image(`${PROJECT}/app`, 'v1', [500]);
  await page.getByLabel(`Role of ${USER}`).selectOption('Guest');
  await page.getByText(`${USER} is Guest now.`).waitFor();
  await expect(new Client(USER, password).image(`${PROJECT}/app`, 'v2', [500])).rejects.toThrow(/40[13]|DENIED/);

  const hers = await newWindow(browser);
  const her = await hers.newPage();
  await signIn(her, USER, password);
  await her.getByRole('link', { name: 'Projects' }).click();
  await her.getByRole('link', { name: PROJECT, exact: true }).click();
  await her.getByRole('link', { name: 'app', exact: true }).waitFor();
  await settled(her);
  expect(await her.getByRole('link', { name: 'Settings' }).count()).toBe(0);
  expect(await her.getByRole('link', { name: 'Administration' }).count()).toBe(0);

  await page.getByRole('button', { name: `Remove ${USER}` }).click();
  await page.getByText('can no longer see, pull or push').waitFor();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByText(`${USER} is no longer a member.`).waitFor();
  await her.reload();
  await her.getByRole('alert').waitFor();
  await page.goto(`/ui/p/${PROJECT}/settings`);
  await expect.poll(() => page.getByRole('button', { name: 'Delete the project' }).isDisabled()).toBe(true);
  await admin.manage('DELETE', `v2.0/projects/${PROJECT}/repositories/app`);
  await page.reload();
  await page.getByRole('button', { name: 'Delete the project' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText(`${PROJECT} is deleted.`).waitFor();
  expect(errors).toEqual([]);
  await window.close();
  await hers.close();
});

test('a group gets a role that is limited to some repositories, and loses the limit again', async () => {
  const [project, name, group] = [`quay-${MARK}`, `pia-${MARK}`, `crew-${MARK}`];
  await admin.manage('POST', 'v2.0/projects', { project_name: project, metadata: { public: 'false' } });
  await admin.manage('POST', 'v2.0/users', { username: name, password: PEOPLE_PASSWORD, email: `${name}@example.com`, realname: name });
  const made = await admin.manage('POST', 'v2.0/usergroups', { group_name: group, group_type: 2 });
  const id = made.headers.get('Location')?.split('/').at(-1);
  await admin.manage('POST', `roadstead/v1/usergroups/${id}/members`, { username: name });

  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(`/ui/p/${project}/members`);
  await page.getByRole('button', { name: 'Add a member' }).click();
  await page.getByRole('button', { name: 'Group', exact: true }).click();
  await page.getByLabel('Group', { exact: true }).fill(group.slice(0, -1));
  await page.getByRole('radio', { name: group }).check();
  await page.getByRole('radio', { name: /^Developer/ }).check();
  await page.getByLabel('Only in repositories like').fill('team-a/**');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  await page.getByText(`Everybody in ${group} is Developer`).waitFor();
  await page.getByRole('button', { name: 'Done' }).click();
  await new Client(name, PEOPLE_PASSWORD).image(`${project}/team-a/app`, 'v1', [500]);
  await expect(new Client(name, PEOPLE_PASSWORD).image(`${project}/app`, 'v1', [500])).rejects.toThrow(/40[13]|DENIED/);

  await page.getByRole('button', { name: `Limit ${group} to repositories` }).click();
  const limits = page.getByLabel('Only in repositories like');
  expect(await limits.inputValue()).toBe('team-a/**');
  await limits.fill('');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText(`The role of ${group} counts in all of ${project}.`).waitFor();
  await new Client(name, PEOPLE_PASSWORD).image(`${project}/app`, 'v1', [500]);
  expect(errors).toEqual([]);
  await window.close();
});

test('somebody is disabled, sees it at once, and is enabled again', async () => {
  const name = `nil-${MARK}`;
  await admin.manage('POST', 'v2.0/users', { username: name, password: PEOPLE_PASSWORD, email: `${name}@example.com`, realname: name });
  const [window, theirs] = [await newWindow(browser), await newWindow(browser)];
  const errors = errorsOf(window);
  const [page, them] = [await window.newPage(), await theirs.newPage()];
  await signIn(page);
  await signIn(them, name, PEOPLE_PASSWORD);
  await page.goto(`/ui/admin/users?q=${name}`);
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('button', { name: 'Disable', exact: true }).click();
  await page.getByText(`${name} cannot sign in any more`).waitFor();
  await page.getByText('disabled', { exact: true }).waitFor();
  await them.goto('/ui/account');
  await them.getByRole('button', { name: 'Sign in' }).waitFor();
  await page.getByRole('button', { name: `Actions for ${name}` }).click();
  await page.getByRole('button', { name: 'Enable', exact: true }).click();
  await page.getByText(`${name} can sign in again.`).waitFor();
  expect((await new Client(name, PEOPLE_PASSWORD).manage('GET', 'v2.0/users/current')).status).toBe(200);
  expect(errors).toEqual([]);
  await window.close();
  await theirs.close();
});

test('people say who they are, and what a repository is for', async () => {
  const [project, name] = [`pier-${MARK}`, `rui-${MARK}`];
  await admin.manage('POST', 'v2.0/projects', { project_name: project, metadata: { public: 'false' } });
  await admin.manage('POST', 'v2.0/users', { username: name, password: PEOPLE_PASSWORD, email: '', realname: '', comment: 'night shift' });
  await admin.manage('POST', `v2.0/projects/${project}/members`, { role_id: 2, member_user: { username: name } });
  await admin.image(`${project}/app`, 'v1', [500]);

  const window = await newWindow(browser);
  const errors = errorsOf(window);
  const page = await window.newPage();
  await signIn(page, name, PEOPLE_PASSWORD);
  await page.goto('/ui/account/profile');
  await page.getByLabel('Real name').fill('Rui Marinho');
  await page.getByLabel('E-mail').fill(`${name}@example.com`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Your profile is saved.').waitFor();
  const me = (await (await new Client(name, PEOPLE_PASSWORD).manage('GET', 'v2.0/users/current')).json()) as Record<string, unknown>;
  expect([me['realname'], me['email'], me['comment']]).toEqual(['Rui Marinho', `${name}@example.com`, 'night shift']);

  await page.goto(`/ui/p/${project}/r/app`);
  await page.getByRole('link', { name: 'Description' }).click();
  await page.getByRole('button', { name: 'Write one' }).click();
  await page.getByLabel('Description').fill('# The app\n\nRuns **everywhere**.');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'The app' }).waitFor();

  await admin.manage('PUT', `v2.0/projects/${project}/members/${await memberOf(project, name)}`, { role_id: 3 });
  await page.reload();
  await page.getByRole('heading', { name: 'The app' }).waitFor();
  expect(await page.getByRole('button', { name: 'Edit' }).count()).toBe(0);
  expect(errors).toEqual([]);
  await window.close();
});

test('a project whose storage is nearly used up says so', async () => {
  const project = `hold-${MARK}`;
  await admin.manage('POST', 'v2.0/projects', { project_name: project, metadata: { public: 'false' } });
  await admin.image(`${project}/app`, 'v1', [50_000]);
  const { used, id } = await quotaOf(project);
  const window = await newWindow(browser);
  const page = await window.newPage();
  await signIn(page);
  await page.goto(`/ui/p/${project}`);
  await settled(page);
  expect(await page.getByText('What is pushed beyond it').count()).toBe(0);
  await admin.manage('PUT', `v2.0/quotas/${id}`, { hard: { storage: used + 5_000 } });
  await page.reload();
  await page.getByText('What is pushed beyond it is refused.').waitFor();
  await admin.manage('PUT', `v2.0/quotas/${id}`, { hard: { storage: used } });
  await page.reload();
  await page.getByText('has used up its limit').waitFor();
  await expect(admin.image(`${project}/app`, 'v2', [60_000])).rejects.toThrow(/ 403 |DENIED/);
  await window.close();
});

async function quotaOf(project: string): Promise<{ id: number; used: number }> {
  const { project_id: id } = (await (await admin.manage('GET', `v2.0/projects/${project}`)).json()) as { project_id: number };
  for (;;) {
    const quota = (await (await admin.manage('GET', `v2.0/quotas/${id}`)).json()) as { used: { storage: number } };
    // The layer counts; configuration and manifest, which are smaller than the room above, may follow.
    if (quota.used.storage >= 50_000) return { id, used: quota.used.storage };
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function memberOf(project: string, name: string): Promise<number> {
  const members = (await (await admin.manage('GET', `v2.0/projects/${project}/members`)).json()) as { id: number; entity_name: string }[];
  return members.find((one) => one.entity_name === name)?.id ?? 0;
}
