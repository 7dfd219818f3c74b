// What systemd's own tool says about the units. If it is not installed, the test says so and is skipped.
#include "../temporary.hpp"
#include "process.hpp"

#include <boost/test/unit_test.hpp>

#include <iostream>
#include <string>
#include <string_view>

namespace causeway::test {
namespace {

const std::string deployment = CAUSEWAY_PROJECT_DIR "/docs/deployment/";
constexpr std::string_view start = "\nExecStart=";

// Its program is where it was built. On other machines systemd finds it by its name.
std::string with_path_of_program(std::string unit, const std::string& program)
{
    const auto name = unit.find(start) + start.size();
    const auto end = unit.find(' ', name);
    BOOST_TEST_REQUIRE(program.ends_with('/' + unit.substr(name, end - name)));
    return unit.replace(name, end - name, program);
}

struct fixture {
    fixture()
    {
        const auto causeway = with_path_of_program(text_of(deployment + "causeway.service"), CAUSEWAY_PROGRAM);
        write_file(directory.path() + "/causeway.service", causeway);
        write_file(directory.path() + "/causeway@1.service", causeway);
        write_file(directory.path() + "/code-server.service",
                   with_path_of_program(text_of(deployment + "code-server.service"), CODE_SERVER_PROGRAM));
        write_file(directory.path() + "/iso8583-host.service",
                   with_path_of_program(text_of(deployment + "iso8583-host.service"), ISO8583_HOST_PROGRAM));
    }

    // Its output, with its exit status behind it if that is not 0.
    std::string analyze(const std::string& arguments) const
    {
        process shell("/bin/sh",
                      {"-c", "cd " + directory.path() + " && SYSTEMD_COLORS=0 systemd-analyze " + arguments});
        const int status = shell.wait();
        return shell.output() + (status == 0 ? "" : "status " + std::to_string(status));
    }

    temporary_directory directory;
};

bool can_analyze()
{
    process shell("/bin/sh", {"-c", "command -v systemd-analyze"});
    if (shell.wait() == 0)
        return true;
    std::cout << "skipped: systemd-analyze is not installed\n";
    return false;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(units, fixture)

BOOST_AUTO_TEST_CASE(systemd_finds_no_mistake_in_them)
{
    if (can_analyze())
        for (const std::string unit :
             {"causeway.service", "causeway@1.service", "code-server.service", "iso8583-host.service"})
            BOOST_TEST(analyze("verify --man=no ./" + unit) == "");
}

BOOST_AUTO_TEST_CASE(their_exposure_is_below_2)
{
    if (can_analyze())
        for (const std::string unit : {"causeway.service", "code-server.service", "iso8583-host.service"}) {
            const auto judgement = analyze("security --no-pager --offline=true --threshold=19 ./" + unit);
            BOOST_TEST(judgement.find("Overall exposure level") != std::string::npos, judgement);
            BOOST_TEST(judgement.find("status ") == std::string::npos, judgement);
        }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
