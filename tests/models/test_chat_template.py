"""Chat templates: those of known bases read as transformers reads them, hostile ones are refused in one sentence."""

import pytest

from burnish.core.errors import UserError
from burnish.models.chat import PLAIN
from burnish.models.chat_template import MOST_TEMPLATE_CHARACTERS, ChatTemplate

CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "  Is 'x' < \"y\"? 好吗 "},
    {"role": "assistant", "content": "Yes."},
    {"role": "user", "content": "Why?"},
]
# In the manner of Llama 3, Gemma and Qwen: what templates of real bases do with Jinja.
LLAMA = """{% set loop_messages = messages %}{% for message in loop_messages %}
{%- set content = '<|start|>' + message['role'] + '<|end|>\n\n' + message['content'] | trim + '<|eot|>' %}
{%- if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}
{%- if add_generation_prompt %}{{ '<|start|>assistant\n\n' }}{% endif %}"""
GEMMA = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first = messages[0]['content'] + '\n\n' -%}{%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first = '' -%}{%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception('Roles must alternate') }}
    {%- endif -%}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
    {{ '<turn>' + role + '\n' + (first if loop.first else '') }}{{ message['content'] | trim }}{{ '<end>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<turn>model\n' }}{%- endif -%}"""
QWEN = """{%- set ns = namespace(last=messages|length - 1, found=false) %}
{%- for message in messages[::-1] %}
    {%- set is_tool = message.content.startswith('<tool>') and message.content.endswith('</tool>') %}
    {%- if not ns.found and message.role == 'user' and not is_tool %}
        {%- set ns.found = true %}{%- set ns.last = messages|length - loop.index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string and 'x' in message.content %}
        {{- '[' ~ loop.index0 ~ ']' ~ message.content.split('<') | last | tojson }}
    {%- endif %}
    {{- message.role ~ ':' ~ ns.last }}{% generation %}{{ message.content }}{% endgeneration %}
{%- endfor %}"""


@pytest.mark.parametrize("source", [LLAMA, GEMMA, QWEN, PLAIN], ids=["llama", "gemma", "qwen", "plain"])
@pytest.mark.parametrize("is_asked", [True, False])
def test_a_template_gives_what_transformers_gives(source, is_asked):
    from transformers.utils.chat_template_utils import render_jinja_template

    tokens = {"bos_token": "<s>", "eos_token": "</s>"}
    theirs, _ = render_jinja_template([CHAT], chat_template=source, add_generation_prompt=is_asked, **tokens)
    assert [ChatTemplate(source, tokens).render(CHAT, add_generation_prompt=is_asked)] == theirs


GROWS = "{% set ns = namespace(x='aaaaaaaaaa') %}{% for i in range(60) %}{% set ns.x = STEP %}{% endfor %}"
NESTS = "{% set ns = namespace(x=['a'], y=['a']) %}{% for i in range(60) %}STEP{% endfor %}{{ ns.x == ns.y }}"
BIG = "{% set x = 'a' * 7000000 %}{% for i in range(99999) %}STEP{% endfor %}"
UNSAFE, STEPS = "access to attribute '.*' of '.*' object is unsafe", "it takes more than 100,000 steps"
LARGE, ITEMS = "it makes something of [0-9,]+ characters or more", "it makes a list of more than 100,000 items"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", UNSAFE),
        ("{{ messages.__init__.__globals__ }}", UNSAFE),
        ("{{ cycler.__init__.__globals__.os.popen('id').read() }}", UNSAFE),
        ("{{ messages.append(1) }}", UNSAFE),
        ("{{ messages.__class__ }}", UNSAFE),
        ("{% for i in range(1000000000) %}x{% endfor %}", "it counts to more than 100,000"),
        ("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}", STEPS),
        ("{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(50) }}", STEPS),
        ("{{ 'a' * 1000000000 }}", LARGE),
        ("{{ [0] * (100000 * 60) }}{{ [0] * (100000 * 90) }}", LARGE + "|" + ITEMS),
        ("{{ 10 ** 10 ** 10 }}", r"it uses '\*\*', which can make a text or number of any size"),
        ("{{ '%1000000000d' % 1 }}", "it uses '%', which can make a text or number of any size"),
        ("{{ '{:1000000000d}'.format(1) }}", "it calls 'format', for which a chat has no use"),
        ("{{ 'a'.ljust(1000000000) }}", "it calls 'ljust', for which a chat has no use"),
        (GROWS.replace("STEP", "ns.x + ns.x"), STEPS),
        (GROWS.replace("STEP", "ns.x ~ ns.x"), STEPS),
        (GROWS.replace("STEP", "ns.x.replace('a', ns.x)"), LARGE),
        (GROWS.replace("STEP", "ns.x | replace('a', 'aa')"), STEPS),
        (GROWS.replace("STEP", "[ns.x, ns.x] | join"), STEPS),
        (GROWS.replace("STEP", "''.join([ns.x, ns.x])"), STEPS),
        (GROWS.replace("= STEP %}", "%}{{ ns.x }}{{ ns.x }}{% endset %}"), STEPS),
        (NESTS.replace("STEP", "{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}"), ITEMS),
        (NESTS.replace("STEP", "{% set ns.x = {'a': ns.x, 'b': ns.x} %}"), ITEMS),
        (NESTS.replace("STEP", "{% set ns.x = dict(a=ns.x, b=ns.x) %}"), ITEMS),
        (NESTS.replace("STEP", "{% set ns.x = ns.x + ns.x %}"), ITEMS),
        (BIG.replace("STEP", "{% if 'b' in x %}{% endif %}"), STEPS),
        (BIG.replace("STEP", "{% if x[::-1] %}{% endif %}"), STEPS),
        (BIG.replace("STEP", "{% if 'b' is in(x) %}{% endif %}"), STEPS),
        (BIG.replace("STEP", "{% set y = x.upper() %}"), STEPS),
        (BIG.replace("STEP", "{% set y = x | upper %}"), STEPS),
        ("{% set priced = 1 %}{% set environment = 1 %}" + BIG.replace("STEP", "{{ x == x }}"), STEPS),
    ],
)
def test_a_hostile_template_is_refused_in_one_sentence(source, why):
    with pytest.raises(UserError, match=rf"^base: its chat template is refused: ({why})\.$"):
        ChatTemplate(source, {}).render(CHAT, add_generation_prompt=True)


@pytest.mark.parametrize(
    "source", ["{% if %}", "{{ 'a' | center(1000000000) }}", "{{ " + "(" * 9000 + "1" + ")" * 9000 + " }}"]
)
def test_a_template_that_is_none_is_told(source):
    with pytest.raises(UserError, match=r"^base: its chat template cannot be read \(.*\)\.$"):
        ChatTemplate(source, {})


def test_a_template_of_a_megabyte_is_refused():
    with pytest.raises(UserError, match=r"^base: its chat template has 100,001 characters, of which 100,000 are allo"):
        ChatTemplate("x" * (MOST_TEMPLATE_CHARACTERS + 1), {})


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{{ raise_exception('no system turns') }}", "no system turns"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "maximum recursion depth exceeded"),
        ("{% include '/etc/passwd' %}", "no loader for this environment specified"),
        ("{{ 1 + 'a' }}", "unsupported operand"),
        ("{{ lipsum.__globals__ }}", "'lipsum' is undefined"),
    ],
)
def test_a_chat_that_a_template_does_not_take_is_told(source, why):
    with pytest.raises(UserError, match=rf"^base: its chat template does not take this chat \({why}.*\)\.$"):
        ChatTemplate(source, {}).render(CHAT, add_generation_prompt=True)


def test_a_template_renders_again_after_it_was_refused():
    loops = "{% for i in range(messages[0].content|int) %}{% for j in range(999) %}{% endfor %}{% endfor %}"
    template = ChatTemplate(loops, {})
    for _ in range(3):
        assert template.render([{"role": "user", "content": "40"}], add_generation_prompt=False) == ""
        with pytest.raises(UserError, match="steps"):
            template.render([{"role": "user", "content": "900"}], add_generation_prompt=False)
