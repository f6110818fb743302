/** The commands of `troupe` and what their help says. */
import { Command } from 'commander';
import { VERSION } from '../version.ts';
import type { CommandContext } from './command-context.ts';
import { type AskFlags, askFlags, dtypeFlag, jsonFlag, type ListFlags, type PullFlags } from './flags.ts';
import { givenFlags, settingFlags } from './setting-flags.ts';

const EXAMPLES = `
Examples:
  $ troupe ask --image photo.png "What is in this image?"
  $ troupe ask -i before.jpg -i after.jpg "What has changed?"
  $ curl -s https://example.org/cat.jpg | troupe ask --image - --json "What color is the cat?"
  $ troupe ask --model HuggingFaceTB/SmolVLM-256M-Instruct --dtype q4 -i photo.jpg "What is this?"
  $ troupe pull HuggingFaceTB/SmolVLM-256M-Instruct --dtype q4
  $ troupe inspect --model ./my-model
  $ troupe serve --port 8000

Exit codes: 0 answered, 1 failed, 2 wrong input or model, 130 interrupted.`;

/** @param args what the command line says, to know what is asked for */
export async function createProgram(context: CommandContext, args: readonly string[]): Promise<Command> {
  const program = new Command('troupe')
    .description('Ask a vision-language model about images: a company of actors in one Node process.')
    .version(VERSION, '-v, --version')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    // Errors are thrown; whoever catches them prints them, in one line.
    .configureOutput({ outputError: () => undefined, writeOut: (text) => void context.output.queue(text) });

  const askCommand = program
    .command('ask')
    .summary('answer a question, with or without images')
    .description('Answer a question about images. The text is printed as it is made.')
    .argument('<question>', 'what to ask')
    .addHelpText('after', EXAMPLES)
    .action(async (question: string, flags: AskFlags, own: Command) => {
      const { ask } = await import('./ask-command.ts'); // not needed for --help, nor to refuse a flag
      const { ASK_SETTINGS } = await import('./engine-settings.ts');
      await ask(question, flags, givenFlags(own, ASK_SETTINGS), context);
    });
  for (const option of askFlags()) askCommand.addOption(option);
  // Made from a schema, which takes its time to load: only for who asks for it.
  if (args.includes(askCommand.name())) {
    const { ASK_SETTINGS } = await import('./engine-settings.ts');
    const further = ASK_SETTINGS.filter(({ name }) => !askCommand.options.some(({ long }) => long === name));
    for (const option of settingFlags(further, 'alone')) {
      askCommand.addOption(option.helpGroup('Settings of the engine:'));
    }
  }

  const inspectCommand = program
    .command('inspect')
    .summary('show what a model holds and how it would run')
    .description(
      'Show what a model holds, whether each mode can run it, and the actors it would start. Of a model on the Hub that ' +
        'was not fetched, only the heads of its files are read. Settings of an engine mean what they mean to `troupe serve`.',
    )
    .argument('[model]', 'as --model')
    .addOption(jsonFlag())
    .action(async (model: string | undefined, { json = false }: { json?: boolean }, own: Command) => {
      const { inspect } = await import('./inspect-command.ts');
      const { ENGINE_SETTINGS } = await import('./engine-settings.ts');
      await inspect({ model, json, settings: givenFlags(own, ENGINE_SETTINGS) }, context);
    });
  if (args.includes(inspectCommand.name())) {
    const { ENGINE_SETTINGS } = await import('./engine-settings.ts');
    for (const option of settingFlags(ENGINE_SETTINGS, 'alone')) inspectCommand.addOption(option);
  }

  addCacheCommands(program, context);

  await addServerCommand(program, context, args, false);
  await addServerCommand(program, context, args, true);
  return program;
}

const SETTINGS =
  'Settings come from flags, from the environment (in brackets) and from a file, in this order.';

/** A gateway is the same server with the models of others. */
async function addServerCommand(
  program: Command,
  context: CommandContext,
  args: readonly string[],
  gateway: boolean,
): Promise<void> {
  const command = gateway
    ? program
        .command('gateway')
        .summary('serve the models of a fleet of nodes over HTTP')
        .description(
          'Serve what the nodes of a fleet have, without a model of its own: the same server as that of `troupe serve`, in ' +
            `front of every \`troupe serve --nats\` of the same fleet (docs/fleet.md). ${SETTINGS}`,
        )
    : program
        .command('serve')
        .summary('serve the model over HTTP, in the way of the OpenAI API')
        .description(
          `Serve the model over HTTP, in the way of the OpenAI API, with a page to try it at /. ${SETTINGS}`,
        );
  command
    .option('--config <file>', 'configuration file, JSON [TROUPE_CONFIG]')
    .option('--print-config', 'print the configuration in force, without secrets, and end')
    .action(async ({ config, printConfig = false }: ServeFlagValues, own: Command) => {
      const [{ runServer }, { SERVER_SETTINGS }] = await Promise.all([
        import('./serve-command.ts'),
        import('../server/server-config.ts'),
      ]);
      const settings = givenFlags(own, SERVER_SETTINGS);
      await runServer({ config, printConfig, gateway, settings }, context);
    });
  if (!args.includes(command.name())) return;
  const { SERVER_SETTINGS } = await import('../server/server-config.ts');
  for (const option of settingFlags(SERVER_SETTINGS, 'with variables')) command.addOption(option);
}

/** Those that deal with the Hub's cache, and start nothing. */
function addCacheCommands(program: Command, context: CommandContext): void {
  program
    .command('pull')
    .summary('fetch a model from the Hub, or what is newer of it')
    .description(
      "Fetch a model from the Hub into its cache: configuration, tokenizer and the graphs of one precision. What was begun is gone on with. HF_TOKEN, HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_HUB_OFFLINE and HTTPS_PROXY mean what they mean to Python's huggingface_hub, with which the cache is shared.",
    )
    .argument('<name>', 'owner/name, or owner/name@revision')
    .addOption(dtypeFlag())
    .addOption(jsonFlag())
    .action(async (name: string, flags: PullFlags) => {
      const { pull } = await import('./pull-command.ts');
      await pull(name, flags, context);
    });
  program
    .command('models')
    .summary('list the models in the cache')
    .description('List the models in the cache of the Hub that have ONNX graphs, whoever fetched them.')
    .addOption(jsonFlag())
    .action(async (flags: ListFlags) => {
      const { listCachedModels } = await import('./models-command.ts');
      await listCachedModels(flags, context);
    });
  program
    .command('rm')
    .summary('remove a model from the cache')
    .description('Remove a model from the cache of the Hub; with a revision that revision alone.')
    .argument('<name>', 'owner/name, or owner/name@revision')
    .action(async (name: string) => {
      const { remove } = await import('./models-command.ts');
      await remove(name, context);
    });
}

interface ServeFlagValues {
  readonly config?: string;
  readonly printConfig?: boolean;
}
