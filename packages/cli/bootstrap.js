// The way into this repository from any Node: installs the npm packages when the lock changed, then hands over to the
// pinned Node. Plain JavaScript without dependencies, because it runs before there are any, on whatever Node there is.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { claim, release } from './claim.js';
import { exitWithNpm, forwardSignals, spawnGuarded } from './parent.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.quorate-installed');
/** Held by whoever installs. */
const installFile = join(modules, '.quorate-installing');
const pinnedNode = join(modules, 'node', 'bin', 'node');

const programs = {
  quorate: 'packages/cli/src/quorate.ts',
  test: 'packages/cli/workspace/test.ts',
  check: 'packages/cli/workspace/check.ts',
  fix: 'packages/cli/workspace/fix.ts',
  soak: 'packages/cli/workspace/soak.ts',
  bench: 'packages/bench/src/bench.ts',
};

const [command = '', ...rest] = process.argv.slice(2);
const [program, args] =
  command === 'demo'
    ? [programs.quorate, ['demo', ...rest]]
    : [Object.hasOwn(programs, command) && programs[command], rest];
if (!program) {
  console.error(`bootstrap: expected one of ${[...Object.keys(programs), 'demo'].join(', ')}, got "${command}"`);
  process.exit(2);
}
exitWithNpm();
process.exitCode = (await installWhenLockChanged()) ? await handOver(program, args) : 1;

/** Whether the packages are there afterwards. Of several that find them missing, one installs. */
async function installWhenLockChanged() {
  if (isInstalled()) return true;
  mkdirSync(modules, { recursive: true });
  let waits = false;
  for (;;) {
    const other = claim(installFile);
    if (!other) break;
    if (!waits) console.error(`Process ${other.pid} is installing the npm packages: waiting for it …`);
    waits = true;
    await pause(100);
  }
  try {
    return isInstalled() || (await install());
  } finally {
    release(installFile);
  }
}

function stamp() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(process.platform + process.arch)
    .digest('hex');
}

function isInstalled() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp();
}

async function install() {
  const installed = stamp();
  rmSync(stampFile, { force: true });
  const begin = Date.now();
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json')));
  // What npm has seen of a package before need not be asked for again, unless that is too old.
  let { status, output } = await npmInstall(lock, ['--prefer-offline']);
  if (status !== 0 && output.includes('ETARGET')) ({ status, output } = await npmInstall(lock));
  if (status !== 0) {
    console.error(
      `${output.trimEnd()}\n\nnpm install failed with status ${status}: see above. Nothing else was done; run the same command again.`,
    );
    return false;
  }
  writeFileSync(stampFile, installed);
  console.error(`Installed the npm packages in ${Math.round((Date.now() - begin) / 1000)} s.`);
  return true;
}

/**
 * npm install with our own progress: npm shows none when it is not on a terminal, and its warnings concern another Node.
 * Not npm ci: that refuses a lock that lacks another platform's optional binaries (docs/decisions/npm-install.md).
 */
function npmInstall(lock, more = []) {
  const wanted = Object.keys(lock.packages).filter(
    (path) => path.includes('node_modules/') && !lock.packages[path].optional,
  );
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const child = spawnGuarded(
    npm[0],
    [...npm.slice(1), 'install', '--no-save', '--no-audit', '--no-fund', '--include=dev', ...more],
    {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output = (output + chunk).slice(-20_000)));
  const terminal = process.stderr.isTTY;
  if (!terminal) console.error('Installing the npm packages …');
  const timer = setInterval(() => {
    if (!terminal) return;
    const done = wanted.filter((path) => existsSync(join(root, path, 'package.json'))).length;
    const width = Math.floor((30 * done) / wanted.length);
    process.stderr.write(
      `\rInstalling the npm packages ${'█'.repeat(width)}${'░'.repeat(30 - width)} ${done}/${wanted.length} `,
    );
  }, 250);
  return new Promise((done) => {
    child.on('error', (error) => done({ status: 1, output: `npm cannot be run: ${error.message}` }));
    child.on('close', (status) => {
      clearInterval(timer);
      if (terminal) process.stderr.write('\r\x1b[K');
      done({ status, output });
    });
  });
}

/** Runs the program on the pinned Node and resolves with its exit status. What a signal does is for it to decide. */
function handOver(program, args) {
  const node = existsSync(pinnedNode) ? pinnedNode : process.execPath;
  if (node === process.execPath && Number(process.versions.node.split('.')[0]) < 26) {
    console.error(
      `This needs Node 26. npm should have brought it as ${pinnedNode}, but did not: are install scripts switched off ` +
        '(npm config get ignore-scripts)? Switch them on and remove node_modules, or install Node 26 by hand.',
    );
    return 1;
  }
  const signals = forwardSignals();
  const child = spawnGuarded(node, ['--conditions=@quorate/source', join(root, program), ...args], {
    stdio: 'inherit',
    env: {
      // What Node has compiled once: very many short programs are started, each of hundreds of files.
      NODE_COMPILE_CACHE: join(modules, '.cache', 'compiled'),
      ...process.env,
      PATH: [dirname(node), join(modules, '.bin'), process.env.PATH].join(delimiter),
    },
  });
  signals.to(child);
  return new Promise((done) => {
    child.on('error', (error) => {
      console.error(`${node} cannot be run: ${error.message}`);
      done(1);
    });
    child.on('exit', (status, signal) => done(status ?? 128 + constants.signals[signal]));
  }).finally(signals.stop);
}
