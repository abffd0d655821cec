"use strict";
// Passkeys in a browser (Web Authentication level 3): hands the options on a page to the browser, and what it answers to
// the form. Binary values are base64url in both, as in the standard's own JSON forms.

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

async function create(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: known(options.excludeCredentials),
    },
  });
  return answer(made, {
    attestationObject: text(made.response.attestationObject),
    transports: made.response.getTransports ? made.response.getTransports() : [],
  });
}

async function use(options) {
  const made = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: known(options.allowCredentials),
    },
  });
  return answer(made, {
    authenticatorData: text(made.response.authenticatorData),
    signature: text(made.response.signature),
    userHandle: made.response.userHandle ? text(made.response.userHandle) : null,
  });
}

function answer(made, response) {
  const clientDataJSON = text(made.response.clientDataJSON);
  return JSON.stringify({
    id: made.id,
    rawId: text(made.rawId),
    type: made.type,
    response: { ...response, clientDataJSON },
  });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const show = (part, shown) =>
    document.querySelectorAll(`[data-part="${part}"]`).forEach((one) => (one.hidden = !shown));
  const able = Boolean(window.PublicKeyCredential);
  show("scriptless", false);
  show("unable", !able);
  form.hidden = !able;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    show("failed", false);
    try {
      const options = JSON.parse(form.dataset.options);
      form.elements.answer.value = await (form.dataset.passkey === "create" ? create : use)(options);
    } catch {
      show("failed", true);
      return;
    }
    form.submit();
  });
}
