#!/usr/bin/env python3
"""What check_commands accepts, and what makes it fail."""
import subprocess
import tempfile
import unittest
from pathlib import Path

CHECK = Path(__file__).with_name("check_commands")


class CheckCommands(unittest.TestCase):
    def check(self, page: str) -> tuple[int, str]:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "docs").mkdir()
            (Path(folder) / "README.md").write_text(page)
            (Path(folder) / "ci").write_text("set -e\nmake   all &&\\\n  make check\n")
            done = subprocess.run([CHECK, folder, folder], capture_output=True, text=True, timeout=60, check=False)
            return done.returncode, done.stdout + done.stderr

    def assert_wrong(self, page: str, why: str) -> None:
        status, said = self.check(page)
        self.assertEqual(status, 1, said)
        self.assertIn(why, said)

    def assert_right(self, page: str) -> None:
        status, said = self.check(page)
        self.assertEqual(status, 0, said)

    def test_a_block_without_a_line_before_it_is_wrong(self):
        self.assert_wrong("text\n\n```sh\ntrue\n```\n", "README.md:3: the line before it must be")

    def test_an_example_needs_a_reason(self):
        self.assert_right("<!-- example: takes an hour -->\n```sh\nfalse\n```\n")
        self.assert_wrong("<!-- example: -->\n```sh\ntrue\n```\n", "the line before it must be")

    def test_a_block_that_fails_is_wrong(self):
        self.assert_right("<!-- run -->\n```sh\ntest -d build/release\n```\n")
        self.assert_wrong("<!-- run -->\n```sh\nfalse\ntrue\n```\n", "ends with 1")

    def test_another_output_is_wrong(self):
        self.assert_right("<!-- run -->\n```console\n$ echo a; echo b\na\nb\n$ echo c\nc\n```\n")
        self.assert_wrong("<!-- run -->\n```console\n$ echo a\nb\n```\n", "prints\na\nand not\nb")

    def test_a_block_runs_while_what_it_needs_does(self):
        ready = "touch ready; echo listening on http; sleep 50"
        self.assert_right(f"<!-- run with: {ready} -->\n```sh\ntest -f ready\n```\n")
        self.assert_wrong("<!-- run with: echo cannot -->\n```sh\ntrue\n```\n", "it never listens:\ncannot")

    def test_what_runs_on_behind_a_block_is_ended(self):
        self.assert_right("<!-- run -->\n```sh\nsleep 50 &\n```\n")

    def test_a_file_that_runs_a_block_must_have_its_commands(self):
        self.assert_right("<!-- run by: ci -->\n```sh\nmake all  # everything\nmake check\n```\n")
        self.assert_wrong("<!-- run by: ci -->\n```sh\nmake install\n```\n", "ci does not have `make install`")
        self.assert_wrong("<!-- run by: nowhere -->\n```sh\nmake all\n```\n", "there is no nowhere")

    def test_pages_without_a_block_are_wrong(self):
        self.assert_wrong("text\n", "0 blocks")


if __name__ == "__main__":
    unittest.main()
