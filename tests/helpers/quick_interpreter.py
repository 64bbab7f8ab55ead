"""Lets Triton's interpreter leave out what has no effect, which is most of its time.

It changes functions of Triton's own, where they are those that it knows; in another version of Triton the tests of
kernels only take longer.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any


def quicken() -> None:
    """Change the interpreter of this process."""
    with suppress(ImportError, AttributeError):
        from triton import language
        from triton.runtime import interpreter

        # It computes whether each sum or product of integers overflows, and checks that with the option debug only.
        builder = interpreter.interpreter_builder
        builder.options = replace(builder.options, sanitize_overflow=False)
        patch_language, nothing_to_restore = interpreter._patch_lang, interpreter._LangPatchScope

        def patch_language_once(function: Any) -> Any:
            """Replace the language's functions where a kernel begins: those that it calls mostly find them replaced."""
            names = [each for each in function.__globals__.values() if each is language or each is language.core]
            is_patched = bool(names) and not any(language.core.is_builtin(each.load) for each in names)
            return nothing_to_restore() if is_patched else patch_language(function)

        interpreter._patch_lang = patch_language_once
