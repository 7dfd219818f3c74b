// The bridge with its backend in its own process, on a fixed address.
#include "blocking.hpp"
#include "process.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

namespace causeway::test {
namespace {

constexpr std::uint16_t embedded_port = 9670;
constexpr std::uint16_t embedded_host_port = 9583;
constexpr auto embedded_is_up = "listening on 127.0.0.1:9670";

bool explains_404(const http_answer& answer)
{
    return answer.status == 200 && answer.body.starts_with(R"({"data":"Code 404: Not Found, used when )");
}

// Throws when another program has an address; it must end before these tests can run.
struct fixture {
    fixture()
    {
        const listener code_server(embedded_port);
        const listener host(embedded_host_port);
    }
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

// The logged command is what its user would type.
BOOST_AUTO_TEST_CASE(with_iso_8583_it_tells_a_curl_command_whose_purchase_is_approved)
{
    causeway_process causeway({"--listen=127.0.0.1:0", "--protocol=iso8583"});
    const auto line = causeway.wait_for_line("curl ");
    const auto port = port_in(causeway.wait_for_line("listening on http://"));
    const auto address = "127.0.0.1:" + std::to_string(port);
    BOOST_TEST(line.ends_with("' http://" + address), line);
    BOOST_TEST(line.find("curl -s -H 'Content-Type: application/json' -d '{") != std::string::npos, line);
    const auto message = line.substr(line.find('{'), line.rfind('}') + 1 - line.find('{'));

    connection client(port);
    client.send("POST / HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\nContent-Length: " +
                std::to_string(message.size()) + "\r\n\r\n" + message);
    const auto answer = receive_answer(client);

    BOOST_TEST(answer.status == 200);
    const auto asked = boost::json::parse(message).as_object();
    const auto told = boost::json::parse(answer.body).as_object();
    BOOST_TEST(told.at("mti") == "0210");
    BOOST_TEST(told.at("39") == "00");
    for (const auto field : {"7", "11", "41"})
        BOOST_TEST(told.at(field) == asked.at(field));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
