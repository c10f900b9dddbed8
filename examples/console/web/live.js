"use strict";

// The parts of a page that only show something are fetched again every two seconds. Its forms are not among them, so nobody loses
// what is typed; nor is a part that has the focus.
const pause = 2000;

async function refresh() {
	let answers = false;
	try {
		const answer = await fetch(location.href);
		answers = answer.ok;
		if (answers) {
			const page = new DOMParser().parseFromString(await answer.text(), "text/html");
			for (const part of document.querySelectorAll("[data-live]")) {
				const now = page.getElementById(part.id);
				if (now && !part.contains(document.activeElement)) part.replaceWith(document.importNode(now, true));
			}
		}
	} catch {
		// the server has ended: the header says that the figures are old
	}
	document.getElementById("stale").hidden = answers;
}

async function live() {
	if (!document.hidden) await refresh();
	setTimeout(live, pause);
}

if (document.querySelector("[data-live]")) setTimeout(live, pause);
