// What Prometheus' own tool says about the metrics. If it is not installed, the test says so and is skipped.
#include "../temporary.hpp"
#include "blocking.hpp"
#include "load.hpp"
#include "process.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <iostream>
#include <string>

namespace causeway::test {
namespace {

// Runs a command of the shell's; gives its status.
int run_command(const std::string& command)
{
    return std::system(command.c_str()); // NOLINT(cert-env33-c,concurrency-mt-unsafe)
}

} // namespace

BOOST_AUTO_TEST_SUITE(promtool)

BOOST_AUTO_TEST_CASE(promtool_is_content_with_the_metrics_under_load)
{
    if (run_command("command -v promtool >/dev/null") != 0) {
        std::cout << "skipped: promtool is not installed\n";
        return;
    }
    code_server_process code_server(on_a_free_port);
    causeway_process causeway(in_front_of({code_server.address(), "127.0.0.1:1"}, {"--admin=127.0.0.1:0"}));
    steady_load load(causeway.port(), 4);
    load.wait_for_answers(100);
    connection client(causeway.admin_port());
    client.send("GET /metrics HTTP/1.1\r\nHost: test\r\n\r\n");
    const temporary_file metrics(receive_answer(client).body);
    BOOST_TEST(load.stop() == "");
    BOOST_TEST(run_command("promtool check metrics <" + metrics.path()) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
