// Starts the relay, a Python program, on the address that Lambda gives, and lives and dies with it. Lambda publishes web
// functions for Node.js only; docs/adr/0007-a-relay-from-zero.md says why the relay is not one. RELAY_PYTHON and
// RELAY_SOURCE are set on a developer's machine, where there is no package.
'use strict';

const { spawn } = require('node:child_process');
const { join } = require('node:path');

const [host, port] = (process.env.AWS_LAMBDA_HTTP_ENDPOINT || '0.0.0.0:3000').split(':');
const packaged = !process.env.RELAY_PYTHON;
const python = packaged ? join(__dirname, 'python', 'bin', 'python3') : process.env.RELAY_PYTHON;
const environment = {
  ...process.env,
  AWS_DEFAULT_REGION: process.env.AWS_DEFAULT_REGION || process.env.AWS_REGION || '', // boto3 reads this one only
  RELAY_HOST: host,
  RELAY_PORT: port,
  RELAY_DRAIN_SECONDS: '1', // Lambda kills a second after SIGTERM
};
if (packaged) {
  environment.PYTHONHOME = join(__dirname, 'python');
  environment.PYTHONPATH = join(__dirname, 'app');
  environment.LD_LIBRARY_PATH = [join(__dirname, 'python', 'lib'), join(__dirname, 'lib')].join(':');
}
// The relay ends when its standard input does, so it does not outlive this process, however that ends.
const relay = spawn(python, ['-B', '-m', 'functions.relay', '--until-stdin-ends'], {
  cwd: process.env.RELAY_SOURCE || join(__dirname, 'app'),
  env: environment,
  stdio: ['pipe', 'inherit', 'inherit'],
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => relay.kill(signal));
relay.on('error', (error) => { console.error(`the relay cannot be started: ${error.message}`); process.exit(1); });
relay.on('exit', (code) => process.exit(code ?? 1));
