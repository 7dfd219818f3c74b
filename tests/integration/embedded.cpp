// The bridge with the code server in its own process, on its fixed address.
#include "blocking.hpp"
#include "process.hpp"

#include <boost/test/unit_test.hpp>

namespace causeway::test {
namespace {

constexpr std::uint16_t embedded_port = 9670;
constexpr auto embedded_is_up = "listening on 127.0.0.1:9670";

bool explains_404(const http_answer& answer)
{
    return answer.status == 200 && answer.body.starts_with(R"({"data":"Code 404: Not Found, used when )");
}

// Throws when another program has the address; it must end before these tests can run.
struct fixture {
    fixture() { const listener free(embedded_port); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(embedded, fixture)

BOOST_AUTO_TEST_CASE(without_an_upstream_it_answers_by_itself)
{
    causeway_process causeway({"--listen=127.0.0.1:0"});
    const auto port = port_in(causeway.wait_for_line("listening on http://"));
    BOOST_TEST(explains_404(get(port, "404")));

    connection to_code_server(embedded_port);
    to_code_server.send("500\n");
    BOOST_TEST(to_code_server.receive_line().starts_with("Code 500: Internal Server Error, used when "));

    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(to_code_server.receive_rest() == "");
}

BOOST_AUTO_TEST_CASE(it_tells_a_curl_command_to_try)
{
    causeway_process causeway({"--listen=127.0.0.1:0"});
    const auto line = causeway.wait_for_line("curl ");
    const auto port = port_in(causeway.wait_for_line("listening on http://"));
    const auto command = "curl -s 'http://127.0.0.1:" + std::to_string(port) + "/?statusCode=404'";
    BOOST_TEST(line.find(command) != std::string::npos);
    BOOST_TEST(explains_404(get(port, "404")));
}

BOOST_AUTO_TEST_CASE(in_a_rolling_restart_the_next_one_takes_over_the_code_server_too)
{
    causeway_process first({"--listen=127.0.0.1:0"});
    const auto port = port_in(first.wait_for_line("listening on http://"));
    first.wait_for_line(embedded_is_up);
    causeway_process second({"--listen=127.0.0.1:" + std::to_string(port), "--share-port", "--reply-timeout=20s"});
    const auto in_use = second.wait_for_line("127.0.0.1:9670 is in use");
    BOOST_TEST(in_use.find("name a backend with --upstream") != std::string::npos);

    first.signal(SIGTERM);
    BOOST_TEST(first.wait() == 0);
    BOOST_TEST(explains_404(get(port, "404")));
    second.wait_for_line(embedded_is_up);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
