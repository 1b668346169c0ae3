/** For everybody: which organizations there are, what one is and how to come in; applying, and confirming an address. */

import { type Content, type Html, html, sentence } from "../../../src/pages/index.ts";
import { whyNobody } from "../doing.ts";
import { type Scene, standing } from "../scene.ts";
import { organizationView } from "../views.ts";
import { form } from "./forms.ts";
import { card, day, facts, note, type Page, standingTag, tabled, type View, voPath } from "./view.ts";

export function organizationsPage(scenes: readonly Scene[]): Page {
  const rows = scenes.map((scene) => [
    html`<a href="${voPath(scene.vo.name)}">${scene.vo.title}</a>`,
    scene.self === null ? "" : standingTag(standing(scene, scene.self)),
  ]);
  return {
    title: "Virtual organizations",
    body: html`<h1>Virtual organizations</h1><p class="lead">Choose the one you work in, or want to.</p>${card("At this site", tabled("Organizations", ["Organization", "You are"], rows, "This site has none."))}`,
  };
}

/** Where the caller stands, and what he can do next. */
function yourPlace(view: View): Html {
  const { scene } = view;
  const own = voPath(scene.vo.name);
  if (scene.claimedBy !== null)
    return note(
      "warn",
      html`Somebody asked for the certificate you show as a further one of his. <a href="${own}/me">Say whether it is yours</a>.`,
    );
  if (scene.self !== null) {
    const now = standing(scene, scene.self);
    const again =
      now.state === "removed" || now.state === "denied" ? html` <a href="${own}/apply">Apply again</a>` : "";
    return html`<p>${standingTag(now)} You are ${now.says}. <a href="${own}/me">My membership</a>${again}</p>`;
  }
  if (scene.caller.identity !== null)
    return html`<p><a class="button" href="${own}/apply">Apply for membership</a></p>`;
  return note("warn", sentence(whyNobody(scene.caller)));
}

/** What follows an application: with e-mail, and on a site that sends none. */
const STEPS = {
  true: html`<li>Open the link in the e-mail you get.</li><li>A representative of your institution approves you. You are told by e-mail.</li>`,
  false: html`<li>A manager confirms your address: this site sends no e-mail.</li><li>A representative of your institution approves you. Come back to this page to see it.</li>`,
} as const;

export function frontPage(view: View): Page {
  const { scene } = view;
  const { vo } = scene;
  const { institutions, rules } = organizationView(scene);
  const lasts = vo.membership === null ? "for good" : `${Math.round(vo.membership / 86_400)} days, and can be renewed`;
  return {
    title: "Organization",
    body: html`<h1>${vo.title}</h1><p class="lead">The virtual organization <code>${vo.name}</code>.</p>
${yourPlace(view)}
<div class="two"><div>${card(
      "How to become a member",
      html`<ol><li>Put a certificate of a trusted authority into your browser (usually a file ending in .p12), and open this page again; the browser asks which one to show.</li><li>Apply: say who you are and which institution knows you.</li>${STEPS[`${view.registration.means.mail}`]}</ol>`,
      vo.issuers.length === 0
        ? ""
        : html`<p>Programs may also come with a token of ${vo.issuers.map((one) => html`<code>${one}</code> `)}</p>`,
    )}</div><div>${card(
      "What it is",
      facts([
        ["Groups", list(vo.groups)],
        ["Roles", list(vo.roles)],
        [
          "Institutions",
          list(
            institutions.map(({ name, until, over }) =>
              until === null ? name : `${name} (${over ? "ended" : "until"} ${day(until)})`,
            ),
          ),
        ],
        ["Membership", `lasts ${lasts}`],
      ]),
    )}</div></div>
${rules === null ? "" : card(`Rules, version ${rules.version}`, html`<details><summary>Read the rules</summary><pre class="rules" tabindex="0">${rules.text}</pre></details>`)}
${card(
  "For your computer",
  html`<p>So that <code>voms-proxy-init</code> finds the server and believes it:</p>
<h3>A line of <code>/etc/vomses</code> or <code>~/.glite/vomses</code></h3><pre tabindex="0">${view.vomses}</pre>
<h3>The file <code>/etc/grid-security/vomsdir/${vo.name}/${view.lsc.name}</code></h3><pre tabindex="0">${view.lsc.text}</pre>
<p>Both as files: <a href="${voPath(vo.name, "/vomses")}">vomses</a>, <a href="${voPath(vo.name, `/${view.lsc.name}`)}">${view.lsc.name}</a>.</p>`,
)}`,
  };
}

const list = (names: readonly string[]): Content =>
  names.length === 0 ? "none" : html`<ul class="plain">${names.map((name) => html`<li>${name}</li>`)}</ul>`;

export function applyPage(view: View): Page {
  const { scene } = view;
  const { vo, caller, self } = scene;
  const title = "Apply";
  const head = html`<h1>Apply for membership</h1><p class="lead">in ${vo.title}</p>`;
  if (caller.identity === null)
    return {
      title,
      body: html`${head}${note("warn", sentence(whyNobody(caller)))}<p><a href="${voPath(vo.name)}">How to come in</a></p>`,
    };
  const { state } = standing(scene, self);
  if (!["visitor", "candidate", "denied", "removed"].includes(state))
    return {
      title,
      body: html`${head}<p>You have applied already. <a href="${voPath(vo.name, "/me")}">See how it stands</a>.</p>`,
    };
  const { institutions, rules } = organizationView(scene);
  const open = institutions.filter(({ over }) => !over);
  const { name = "", email = "", institution = "", phone = "" } = self?.details ?? {};
  return {
    title,
    body: html`${head}${card(
      "You",
      html`<p>You apply with this certificate or token: <code>${caller.identity.subject}</code></p>`,
      form(view, {
        does: "apply",
        submit: "Apply",
        fields: ["name", "email", "institution", "phone", "comment", ...(rules === null ? [] : ["rules"])],
        values: { name, email, institution, phone },
        ...(institutions.length === 0 ? {} : { choices: { institution: choice(open.map((one) => one.name)) } }),
        ...(rules === null
          ? {}
          : {
              agree: {
                rules: {
                  value: rules.version,
                  text: `I have read version ${rules.version} of the rules and will keep them`,
                },
              },
            }),
        before:
          rules === null
            ? ""
            : html`<h3>Rules, version ${rules.version}</h3><pre class="rules" tabindex="0">${rules.text}</pre>`,
      }),
    )}
${
  self === null
    ? card(
        "Or are you a member already, with another certificate?",
        form(view, {
          fold: "Ask that this certificate becomes one of yours",
          does: "claim-certificate",
          submit: "Ask",
          fields: ["of"],
        }),
      )
    : ""
}`,
  };
}

export const choice = (names: readonly string[]): readonly { value: string; text: string }[] =>
  names.map((name) => ({ value: name, text: name }));

export function confirmPage(view: View): Page {
  const [person, code] = [view.query.get("person") ?? "", view.query.get("code") ?? ""];
  const known = /^[A-Za-z0-9-]{1,80}$/.test(person) && /^[0-9a-f]{32}$/.test(code);
  const done = view.said !== null;
  return {
    title: "Confirm",
    body: html`<h1>Confirm your address</h1><p class="lead">for ${view.scene.vo.title}</p>${
      done
        ? html`<p><a href="${voPath(view.scene.vo.name)}">To the organization</a></p>`
        : card(
            known ? "One step is left" : "From the e-mail",
            known
              ? html`<p>You have opened the link in our e-mail. Confirm that you applied, and that the address is yours.</p>`
              : html`<p>Open the link in the e-mail, or copy both from it.</p>`,
            form(view, {
              does: "confirm",
              submit: "Confirm my address",
              ...(known && view.failed === null
                ? { hidden: { person, code } }
                : { fields: ["person", "code"], values: { person, code } }),
            }),
          )
    }`,
  };
}
