// Looks at this very page every two seconds and puts in what changed; nothing else is ever asked for.
(() => {
  const look = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch(location.href, { redirect: "error" });
        if (answer.ok) take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      } catch { /* the service has stopped, or is about to come back */ }
    }
    setTimeout(look, 2000);
  };
  const take = (fresh) => {
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = fresh.getElementById(part.id);
      for (const open of part.querySelectorAll("details[open] > summary"))
        fresh.getElementById(open.id)?.parentElement.setAttribute("open", "");
      if (!other || other.innerHTML === part.innerHTML) continue;
      const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
      part.innerHTML = other.innerHTML;
      if (focused) document.getElementById(focused)?.focus();
    }
  };
  setTimeout(look, 2000);
})();
