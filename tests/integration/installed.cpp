// What `cmake --install` puts in place beside the programs: man pages, completion for bash, examples.
#include "../temporary.hpp"
#include "process.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace causeway::test {
namespace {

struct result {
    int status;
    std::string output;
};

result run_command(const std::string& command)
{
    process shell("/bin/sh", {"-c", command});
    const int status = shell.wait();
    return {status, shell.output()};
}

bool is_installed(const std::string& tool) { return run_command("command -v " + tool).status == 0; }

// Everything, in a separate directory.
struct fixture {
    fixture()
    {
        const auto installing = run_command(CAUSEWAY_CMAKE " --install " CAUSEWAY_BUILD_DIR " --prefix " + prefix);
        BOOST_TEST_REQUIRE(installing.status == 0, installing.output);
    }

    temporary_directory directory;
    const std::string prefix = directory.path() + "/usr";
};

// What bash proposes after `words`, which are the words of a command line as bash sees them.
std::string completions_of(const std::string& prefix, const std::string& words)
{
    return run_command(
               "cd " + prefix + R"(/share/doc/causeway/examples && exec bash -c '
        . /usr/share/bash-completion/bash_completion
        . "$0/share/bash-completion/completions/causeway"
        COMP_WORDS=()" +
               words +
               R"() COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE="${COMP_WORDS[*]}" COMP_LINE=${COMP_LINE// = /=}
        COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMP_KEY=9
        _causeway "$0/bin/${COMP_WORDS[0]}" "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}" 2>/dev/null
        printf "%s\n" "${COMPREPLY[@]}" | sort' )" +
               prefix)
        .output;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(installed, fixture)

BOOST_AUTO_TEST_CASE(everything_is_in_its_place)
{
    for (const auto* file :
         {"bin/causeway", "bin/code-server", "bin/iso8583-host", "lib/systemd/system/causeway.service",
          "lib/systemd/system/causeway@.service", "lib/systemd/system/causeway@.service.d/causeway-instances.conf",
          "lib/systemd/system/code-server.service", "lib/systemd/system/iso8583-host.service",
          "share/bash-completion/completions/causeway", "share/bash-completion/completions/code-server",
          "share/bash-completion/completions/iso8583-host", "share/doc/causeway/examples/causeway.conf",
          "share/doc/causeway/examples/causeway-tls.conf", "share/doc/causeway/examples/code-server.conf",
          "share/doc/causeway/examples/iso8583-host.conf"})
        BOOST_TEST(std::filesystem::is_regular_file(prefix + "/" + file), file);
}

BOOST_AUTO_TEST_CASE(the_examples_for_the_servers_have_their_options_with_their_defaults)
{
    for (const std::string program : {"code-server", "iso8583-host"}) {
        const auto in_force =
            run_command("sed -E 's/^#([a-z0-9-]+ = )/\\1/; /^(log-file|iso8583-header)/d' " + prefix +
                        "/share/doc/causeway/examples/" + program + ".conf >" + directory.path() + "/all.conf && " +
                        prefix + "/bin/" + program + " --check-config --config " + directory.path() + "/all.conf");
        BOOST_TEST(in_force.status == 0, in_force.output);
        const auto by_default = run_command(prefix + "/bin/" + program + " --check-config");
        const auto without_origins = [](std::string text) {
            return run_command("printf '%s' '" + text + "' | sed 's/ *# .*//'");
        };
        BOOST_TEST(without_origins(in_force.output).output == without_origins(by_default.output).output, program);
    }
}

BOOST_AUTO_TEST_CASE(the_man_pages_have_every_section_and_no_mistake)
{
    if (!is_installed("man") || !std::filesystem::exists(prefix + "/share/man/man1/causeway.1")) {
        std::cout << "skipped: man or help2man is not installed\n";
        return;
    }
    for (const std::string program : {"causeway", "code-server", "iso8583-host"}) {
        const auto page = prefix + "/share/man/man1/" + program + ".1";
        BOOST_TEST(run_command("man --warnings --local-file " + page + " 2>&1 >/dev/null").output == "");
        const auto text = run_command("MANWIDTH=100 man --local-file " + page + " | col -b").output;
        for (const auto* section : {"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "ENVIRONMENT", "FILES", "SIGNALS",
                                    "EXIT STATUS", "EXAMPLES", "SEE ALSO"})
            BOOST_TEST(text.find(std::string("\n") + section + '\n') != std::string::npos, program << ": " << section);
        BOOST_TEST(text.find("--log-level LEVEL (=info)") != std::string::npos, text);
    }
}

BOOST_AUTO_TEST_CASE(bash_completes_options_words_and_files)
{
    if (!std::filesystem::exists("/usr/share/bash-completion/bash_completion")) {
        std::cout << "skipped: bash-completion is not installed\n";
        return;
    }
    BOOST_TEST(completions_of(prefix, "causeway --access-log /etc/host").find("/etc/hosts\n") != std::string::npos);
    BOOST_TEST(completions_of(prefix, "causeway --drain") == "--drain-delay\n--drain-timeout\n");
    BOOST_TEST(completions_of(prefix, "causeway --share-port --thr") == "--threads\n");
    BOOST_TEST(completions_of(prefix, "code-server --bi") == "--bind-retry\n");
    BOOST_TEST(completions_of(prefix, "iso8583-host --iso8583-h") == "--iso8583-header\n");
    BOOST_TEST(completions_of(prefix, "causeway --log-format \"\"") == "json\ntext\n");
    BOOST_TEST(completions_of(prefix, "causeway --log-level = w") == "warning\n");
    BOOST_TEST(completions_of(prefix, "causeway --admin o") == "off\n");
    BOOST_TEST(completions_of(prefix, "causeway --config causeway-") == "causeway-tls.conf\n");
    BOOST_TEST(completions_of(prefix, "causeway --threads \"\"") == "\n");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
