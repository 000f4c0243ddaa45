// Small comforts. Every page works without this file.
'use strict';

// A password can be looked at while it is typed.
for (const place of document.querySelectorAll('.secret')) {
    const input = place.querySelector('input');
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'show';
    button.setAttribute('aria-controls', input.id);
    const say = () => {
        const isShown = input.type === 'text';
        button.textContent = isShown ? place.dataset.hide : place.dataset.show;
        button.setAttribute('aria-pressed', String(isShown));
    };
    button.addEventListener('click', () => {
        input.type = input.type === 'text' ? 'password' : 'text';
        say();
    });
    // A browser keeps passwords, not texts.
    input.form?.addEventListener('submit', () => { input.type = 'password'; });
    say();
    place.append(button);
}

// A form is sent once.
for (const form of document.querySelectorAll('form[method="post"]')) {
    form.addEventListener('submit', event => {
        if (form.dataset.sent) {
            event.preventDefault();
        }
        form.dataset.sent = 'yes';
        setTimeout(() => delete form.dataset.sent, 3000);
    });
}
window.addEventListener('pageshow', () => {
    for (const form of document.querySelectorAll('form[data-sent]')) {
        delete form.dataset.sent;
    }
});

// Codes and links can be copied: <button hidden data-copy="ID OF THE TEXT" data-done="Copied">.
for (const button of document.querySelectorAll('[data-copy]')) {
    if (navigator.clipboard) {
        button.hidden = false;
        button.addEventListener('click', async () => {
            const lines = document.getElementById(button.dataset.copy).innerText.trim();
            await navigator.clipboard.writeText(lines);
            button.textContent = button.dataset.done;
        });
    }
}
