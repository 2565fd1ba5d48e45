// Making and changing chatbots: a name, what it is told before every conversation, and its model.

import { confirm, openDialog } from './dialogs.js';
import { h } from './dom.js';
import { toastError } from './toast.js';

/** @typedef {import('./api.js').Chatbot} Chatbot */

// The server's limits.
const MAX_NAME = 200;
const MAX_INSTRUCTIONS = 16_384;

/**
 * Lets the user make a chatbot, or change one of theirs.
 * @param {import('./api.js').Api} api
 * @param {Chatbot | null} chatbot Null for a new one.
 * @param {(chatbot: Chatbot) => void} onSaved
 */
export async function editChatbot(api, chatbot, onSaved) {
  /** @type {string[]} */
  let models = [];
  try {
    models = await api.models();
  } catch (error) {
    toastError(error);
  }
  const name = h('input', { id: 'chatbot-field-name', class: 'field', required: true, maxlength: MAX_NAME, autocomplete: 'off', value: chatbot?.name ?? '' });
  const instructions = h('textarea', { id: 'chatbot-field-instructions', class: 'field', rows: 6, maxlength: MAX_INSTRUCTIONS,
    placeholder: 'You answer in one sentence, and only about cooking.' });
  instructions.value = chatbot?.system_prompt ?? '';
  const model = h('select', { id: 'chatbot-field-model', class: 'field' }, h('option', { value: '' }, 'The server’s default'),
    ...models.map(m => h('option', { value: m, selected: m === chatbot?.model }, m)));
  const save = h('button', { type: 'submit', class: 'button primary' }, chatbot ? 'Save' : 'Create');
  const form = h('form', { class: 'dialog-form', on: { submit: (/** @type {Event} */ event) => {
    event.preventDefault();
    void store();
  } } },
  h('label', { for: name.id }, 'Name'), name, h('label', { for: instructions.id }, 'Instructions'), instructions,
  h('label', { for: model.id }, 'Model'), model,
  h('div', { class: 'dialog-actions' }, h('button', { type: 'button', class: 'button', on: { click: () => dialog.close() } }, 'Cancel'), save));
  const dialog = openDialog(chatbot ? 'Edit chatbot' : 'New chatbot', [form]);
  name.focus();

  async function store() {
    save.disabled = true;
    try {
      const fields = { name: name.value.trim(), system_prompt: instructions.value, model: model.value };
      onSaved(chatbot ? await api.changeChatbot(chatbot.id, fields) : await api.createChatbot(fields));
      dialog.close();
    } catch (error) {
      toastError(error);
    } finally {
      save.disabled = false;
    }
  }
}

/**
 * Deletes a chatbot of the user's, if they say so again.
 * @param {import('./api.js').Api} api
 * @param {Chatbot} chatbot
 * @returns {Promise<boolean>} Whether it is gone.
 */
export async function deleteChatbot(api, chatbot) {
  const text = `“${chatbot.name}” and its documents will be gone for good. Its conversations stay, and go on with the Assistant.`;
  if (!await confirm({ title: 'Delete this chatbot?', text, action: 'Delete' })) return false;
  try {
    await api.deleteChatbot(chatbot.id);
    return true;
  } catch (error) {
    toastError(error);
    return false;
  }
}
