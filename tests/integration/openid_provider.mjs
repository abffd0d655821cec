// A foreign OpenID provider (node-oidc-provider) over TLS on this machine, whose sign-ins are scripted: whoever comes to
// an interaction says in the address as whom, and at which level. Settings come as JSON on standard input, its issuer
// goes out on the first line; it ends when standard input does.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const settings = JSON.parse((await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next()).value);
const { default: Provider } = await import(pathToFileURL(`${settings.module}/lib/index.js`));

const server = createServer({ cert: readFileSync(settings.certificate), key: readFileSync(settings.key) });
await new Promise((listening) => { server.listen(0, '127.0.0.1', listening); });
const issuer = `https://localhost:${server.address().port}`;

const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const provider = new Provider(issuer, {
  clients: settings.clients,
  jwks: { keys: [{ ...signing, use: 'sig' }] },
  cookies: { keys: ['only-for-tests'] },
  acrValues: settings.acr,
  claims: { openid: ['sub', 'bsn', 'name', 'represents'] },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    jwtUserinfo: { enabled: true },
    encryption: { enabled: true },
  },
  fetch: (url, { dispatcher, ...options }) => fetch(url, options), // it would not call a portal on loopback
  enabledJWA: {
    clientAuthSigningAlgValues: ['ES256'],
    idTokenSigningAlgValues: ['RS256', 'PS256'],
    userinfoSigningAlgValues: ['RS256'],
    idTokenEncryptionAlgValues: ['RSA-OAEP'],
    idTokenEncryptionEncValues: ['A256GCM'],
  },
  pkce: { required: () => true },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...settings.people[sub] }) }),
  ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 60, IdToken: 60, Interaction: 60, Session: 600 },
});
const answer = provider.callback();

server.on('request', async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, issuer);
  if (!pathname.startsWith('/interaction/')) { answer(request, response); return; }
  try {
    const { params } = await provider.interactionDetails(request, response);
    const accountId = searchParams.get('as');
    if (!accountId) {
      await provider.interactionFinished(request, response, { error: 'access_denied' });
      return;
    }
    const grant = new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const login = { accountId, acr: searchParams.get('acr') ?? undefined };
    await provider.interactionFinished(request, response, { login, consent: { grantId: await grant.save() } });
  } catch (failure) {
    response.writeHead(500).end(failure.message);
  }
});
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
console.log(issuer);
