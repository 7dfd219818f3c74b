#!/usr/bin/env python3
"""What check_snippets lets through and what it does not, each on a page and a source of its own."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).with_name("check_snippets")

SOURCE = """\
int main()
{
    // [outer]
    int a = 1;

    // [inner]
    if (a)
        return a;
    // [/inner]
    // [/outer]
}
"""
INNER = "if (a)\n    return a;"
OUTER = "int a = 1;\n\n" + INNER


def block(name, code):
    return f"# A page\n\n{name}\n```cpp\n{code}\n```\n\nText.\n"


class CheckSnippets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "source.cpp").write_text(SOURCE)

    def check(self, page, *options):
        (self.folder / "page.md").write_text(page)
        command = [sys.executable, CHECK, *options, self.folder]
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    def passes(self, page):
        result = self.check(page)
        self.assertEqual(result.returncode, 0, result.stdout)

    def fails(self, page, problem):
        result = self.check(page)
        self.assertEqual(result.returncode, 1, result.stdout)
        self.assertIn("page.md:", result.stdout)
        self.assertIn(problem, result.stdout)

    def test_a_block_is_the_code_that_it_names(self):
        self.passes(block("<!-- code: source.cpp#inner -->", INNER))

    def test_the_lines_of_tags_inside_are_not_shown(self):
        self.passes(block("<!-- code: source.cpp#outer -->", OUTER))

    def test_a_changed_text_is_wrong(self):
        self.fails(block("<!-- code: source.cpp#inner -->", INNER.replace("return a", "return b")), "not what its source")

    def test_a_changed_source_is_wrong(self):
        (self.folder / "source.cpp").write_text(SOURCE.replace("return a", "return b"))
        self.fails(block("<!-- code: source.cpp#inner -->", INNER), "not what its source")

    def test_a_block_without_a_name_is_wrong(self):
        self.fails(block("Some text.", INNER), "does not name")

    def test_a_name_must_stand_on_the_line_in_front(self):
        self.fails(block("<!-- code: source.cpp#inner -->\n", INNER), "does not name")

    def test_an_unknown_tag_is_wrong(self):
        self.fails(block("<!-- code: source.cpp#other -->", INNER), "no [other]")

    def test_a_tag_that_has_no_end_is_wrong(self):
        (self.folder / "source.cpp").write_text(SOURCE.replace("    // [/inner]\n", ""))
        self.fails(block("<!-- code: source.cpp#inner -->", INNER), "no [inner]")

    def test_an_unknown_file_is_wrong(self):
        self.fails(block("<!-- code: other.cpp#inner -->", INNER), "no file")

    def test_none_with_a_reason_passes(self):
        self.passes(block("<!-- code: none, it is how one would like to write it -->", "anything();"))

    def test_none_without_a_reason_is_wrong(self):
        self.fails(block("<!-- code: none -->", "anything();"), "needs a reason")
        self.fails(block("<!-- code: none, -->", "anything();"), "needs a reason")

    def test_the_second_block_of_a_page_is_looked_at_too(self):
        good = block("<!-- code: source.cpp#inner -->", INNER)
        self.fails(good + block("Some text.", INNER), "does not name")

    def test_other_languages_need_no_name(self):
        good = block("<!-- code: source.cpp#inner -->", INNER)
        self.passes(good + "```sh\nls\n```\n")
        self.passes(good + "````\n```cpp\n````\n")

    def test_no_block_at_all_is_wrong(self):
        self.assertEqual(self.check("# A page\n").returncode, 1)

    def test_write_brings_a_page_up_to_date_and_leaves_the_rest(self):
        page = block("<!-- code: source.cpp#outer -->", "old();")
        self.assertEqual(self.check(page, "--write").returncode, 0)
        self.assertEqual((self.folder / "page.md").read_text(), block("<!-- code: source.cpp#outer -->", OUTER))


unittest.main()
