// Both programs as a user starts them: command line, exit status, signals, and backends that come and go.
#include "blocking.hpp"
#include "codes/catalogue.hpp"
#include "kit.hpp"
#include "process.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <optional>
#include <ostream>
#include <random>
#include <span>
#include <stdexcept>

namespace causeway::test {
namespace {

using words = std::vector<std::string>;

const words on_a_free_port{"--listen=127.0.0.1:0"};

// The arguments of a bridge on a free port in front of `upstreams`, and `more`.
words in_front_of(const words& upstreams, const words& more = {})
{
    auto arguments = on_a_free_port;
    for (const auto& upstream : upstreams)
        arguments.push_back("--upstream=" + upstream);
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

// What the code server says about `code`, with the line feed.
std::string reply_to(std::string_view code)
{
    std::string line;
    codes::append_reply(code, line);
    return line;
}

// What the bridge makes of that.
std::string body_for(std::string_view code)
{
    auto line = reply_to(code);
    line.pop_back();
    return R"({"data":")" + line + R"(\n"})";
}

bool is_right(const http_answer& answer, std::string_view code)
{
    return answer.status == 200 && answer.body == body_for(code);
}

// All codes of the catalogue, and others up to `count`, in any order. None contains a small letter.
words codes_of_all_kinds(std::size_t count)
{
    constexpr std::string_view characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    std::minstd_rand random;
    std::uniform_int_distribution<std::size_t> any(0, characters.size() - 1);
    words codes;
    for (const auto& entry : codes::catalogue())
        codes.emplace_back(entry.code);
    while (codes.size() < count)
        codes.push_back({characters[any(random)], characters[any(random)], characters[any(random)]});
    std::ranges::shuffle(codes, random);
    return codes;
}

// Keep-alive clients, with a request on each of them at the same time.
class parallel_clients {
public:
    parallel_clients(std::uint16_t port, std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i)
            connections_.emplace_back(port);
    }

    // Each client asks for the code at its place.
    void send(std::span<const std::string> codes)
    {
        for (std::size_t i = 0; i < codes.size(); ++i)
            send_request(connections_.at(i), codes[i]);
    }

    http_answer receive(std::size_t client) { return receive_answer(connections_.at(client)); }

    // The answers that do not fit their codes.
    words receive_wrong(std::span<const std::string> codes)
    {
        words wrong;
        for (std::size_t i = 0; i < codes.size(); ++i)
            if (const auto answer = receive(i); !is_right(answer, codes[i]))
                wrong.push_back(codes[i] + ": " + answer.head + answer.body);
        return wrong;
    }

    void close() { connections_.clear(); }

private:
    std::vector<connection> connections_;
};

// Keep-alive clients that ask for one code after the other, without a pause, until they are stopped.
class steady_load {
public:
    steady_load(std::uint16_t port, std::size_t clients)
    {
        for (std::size_t i = 0; i < clients; ++i)
            clients_.emplace_back([this, port](const std::stop_token& stopped) { ask(port, stopped); });
    }

    // Returns when so many answers more have come, or when one was wrong.
    void wait_for_answers(std::size_t count)
    {
        const auto enough = answers_ + count;
        wait_until([&] { return answers_ >= enough || wrong_; });
    }

    // Ends it; gives the first answer that was wrong, or an empty text.
    std::string stop()
    {
        clients_.clear();
        return first_wrong_;
    }

private:
    void ask(std::uint16_t port, const std::stop_token& stopped)
    {
        std::string code;
        try {
            connection client(port);
            const auto codes = codes_of_all_kinds(200);
            for (std::size_t i = 0; !stopped.stop_requested(); ++i) {
                code = codes[i % codes.size()];
                if (const auto answer = get(client, code); !is_right(answer, code))
                    throw std::runtime_error(answer.head + answer.body);
                ++answers_;
            }
        } catch (const std::exception& error) {
            if (!wrong_.exchange(true))
                first_wrong_ = code + ": " + error.what();
        }
    }

    std::atomic<std::size_t> answers_{0};
    std::atomic<bool> wrong_{false};
    std::string first_wrong_; // written once, read when the threads have ended
    std::vector<std::jthread> clients_;
};

// The number in front of `what` in the summary that a bridge logs at its end.
std::size_t number_before(std::string_view what, std::string_view summary)
{
    const auto end = summary.find(what);
    if (end == std::string_view::npos || end == 0)
        throw std::runtime_error("no '" + std::string(what) + "' in '" + std::string(summary) + "'");
    const auto begin = summary.find_last_not_of("0123456789", end - 1) + 1;
    return std::stoul(std::string(summary.substr(begin, end - begin)));
}

// A system as bare as debootstrap leaves it has no /etc/hosts.
boost::test_tools::assertion_result where_localhost_is_known(boost::unit_test::test_unit_id /*test*/)
{
    return knows_localhost();
}

boost::test_tools::assertion_result with_ipv6(boost::unit_test::test_unit_id /*test*/) { return has_ipv6(); }

// How a program was called, and what the line on its standard error must contain.
struct call {
    std::string program;
    words arguments;
    std::string named;

    friend std::ostream& operator<<(std::ostream& output, const call& call)
    {
        output << call.program;
        for (const auto& argument : call.arguments)
            output << ' ' << argument;
        return output;
    }
};

const std::string causeway_path = CAUSEWAY_PROGRAM;
const std::string code_server_path = CODE_SERVER_PROGRAM;

bool is_one_line(std::string_view text) { return text.size() > 1 && text.find('\n') == text.size() - 1; }

const std::vector<call> wrong_usage{
    {causeway_path, {"--nonsense"}, "--nonsense"},
    {causeway_path, {"--thread=1"}, "--thread"}, // not taken for an abbreviation
    {causeway_path, {"--listen"}, "--listen"},
    {causeway_path, {"--listen=8090"}, "--listen"},
    {causeway_path, {"--listen=two\nlines"}, "--listen"},
    {causeway_path, {"--listen=::1:8090"}, "--listen"},
    {causeway_path, {"--listen=127.0.0.1:1", "--listen=127.0.0.1:2"}, "--listen"},
    {causeway_path, {"--upstream=127.0.0.1:0"}, "--upstream"},
    {causeway_path, {"--upstream=127.0.0.1:1", "--upstream=somewhere"}, "--upstream"},
    {causeway_path, {"--reply-timeout=2"}, "--reply-timeout"},
    {causeway_path, {"--reconnect-max=0s"}, "--reconnect-max"},
    {causeway_path, {"--upstream-window=0"}, "--upstream-window"},
    {causeway_path, {"--max-pending=many"}, "--max-pending"},
    {causeway_path, {"--max-connections=-1"}, "--max-connections"},
    {causeway_path, {"--idle-timeout=0s"}, "--idle-timeout"},
    {causeway_path, {"--write-timeout=10"}, "--write-timeout"},
    {causeway_path, {"--threads=0"}, "--threads"},
    {causeway_path, {"--share-port=yes"}, "--share-port"},
    {causeway_path, {"--drain-timeout=-1s"}, "--drain-timeout"},
    {causeway_path, {"--log-level=loud"}, "--log-level"},
    {causeway_path, {"127.0.0.1:8090"}, "--help"},
    {code_server_path, {"--upstream=127.0.0.1:1"}, "--upstream"},
    {code_server_path, {"--listen=9670"}, "--listen"},
    {code_server_path, {"--bind-retry=soon"}, "--bind-retry"},
    {code_server_path, {"--log-level=loud"}, "--log-level"},
};

const std::vector<call> impossible_places{
    {causeway_path, {"--listen=192.0.2.1:8090", "--upstream=127.0.0.1:1"}, "--listen"},
    {causeway_path, {"--listen=a..b:8090", "--upstream=127.0.0.1:1"}, "--listen"},
    {code_server_path, {"--listen=192.0.2.1:9670"}, "--listen"},
    {code_server_path, {"--listen=a..b:9670"}, "--listen"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(programs)

// Command line

BOOST_DATA_TEST_CASE(help_and_version_go_to_standard_output,
                     boost::unit_test::data::make({causeway_path, code_server_path}))
{
    process help(sample, {"--help"});
    BOOST_TEST(help.wait() == 0);
    BOOST_TEST(help.standard_output().find("--listen HOST:PORT") != std::string::npos);
    BOOST_TEST(help.standard_error() == "");

    process version(sample, {"--version"});
    BOOST_TEST(version.wait() == 0);
    BOOST_TEST(version.standard_output().starts_with(sample.substr(sample.rfind('/') + 1) + ' '));
    BOOST_TEST(is_one_line(version.standard_output()));
    BOOST_TEST(version.standard_error() == "");
}

BOOST_DATA_TEST_CASE(wrong_usage_ends_with_2_and_one_line_that_names_the_option,
                     boost::unit_test::data::make(wrong_usage))
{
    process program(sample.program, sample.arguments);
    BOOST_TEST(program.wait() == 2);
    BOOST_TEST(program.standard_output() == "");
    BOOST_TEST_CONTEXT(program.standard_error())
    {
        BOOST_TEST(is_one_line(program.standard_error()));
        BOOST_TEST(program.standard_error().find(sample.named) != std::string::npos);
    }
}

// Where they listen

BOOST_DATA_TEST_CASE(a_place_that_cannot_be_had_ends_with_1_and_one_line_that_says_what_to_do,
                     boost::unit_test::data::make(impossible_places))
{
    process program(sample.program, sample.arguments);
    BOOST_TEST(program.wait() == 1);
    BOOST_TEST_CONTEXT(program.output())
    {
        BOOST_TEST(is_one_line(program.standard_error()));
        BOOST_TEST(program.standard_error().find(sample.named) != std::string::npos);
    }
}

BOOST_DATA_TEST_CASE(a_taken_port_ends_with_1_and_one_line_that_says_what_to_do,
                     boost::unit_test::data::make({false, true}))
{
    const listener other(0, sample ? listener::sharing::yes : listener::sharing::no);
    causeway_process causeway({"--listen=" + other.address(), "--upstream=127.0.0.1:1"});
    BOOST_TEST(causeway.wait() == 1);
    BOOST_TEST_CONTEXT(causeway.output())
    {
        BOOST_TEST(is_one_line(causeway.standard_error()));
        BOOST_TEST(causeway.standard_error().find(other.address()) != std::string::npos);
        BOOST_TEST(causeway.standard_error().find("--listen") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_second_causeway_joins_the_first_only_with_share_port)
{
    code_server_process code_server(on_a_free_port);
    const listener silent;
    causeway_process first(in_front_of({code_server.address()}));
    const auto place = "--listen=" + first.address();

    causeway_process refused({place, "--upstream=" + code_server.address()});
    BOOST_TEST(refused.wait() == 1);
    BOOST_TEST(refused.standard_error().find("--share-port") != std::string::npos);

    // Its answers differ, which tells who has served a connection.
    causeway_process second({place, "--share-port", "--upstream=" + silent.address(), "--reply-timeout=1ms"});
    BOOST_TEST(second.port() == first.port());
    bool first_serves = false;
    bool second_serves = false;
    wait_until([&] {
        const auto status = get(first.port(), "404").status;
        first_serves |= status == 200;
        second_serves |= status == 504 || status == 503;
        return first_serves && second_serves;
    });

    first.signal(SIGTERM);
    BOOST_TEST(first.wait() == 0);
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(get(second.port(), "404").status != 200);
}

BOOST_AUTO_TEST_CASE(an_ipv6_address_is_written_in_brackets, *boost::unit_test::precondition(with_ipv6))
{
    code_server_process code_server({"--listen=[::1]:0"});
    const auto upstream = "[::1]:" + std::to_string(code_server.port());
    causeway_process causeway({"--listen=[::1]:0", "--upstream=" + upstream});

    const auto place = "http://[::1]:" + std::to_string(causeway.port());
    BOOST_TEST(causeway.output().find(place) != std::string::npos);
    connection client(causeway.port(), "::1");
    BOOST_TEST(get(client, "404").body == body_for("404"));
}

BOOST_AUTO_TEST_CASE(a_host_may_be_a_name, *boost::unit_test::precondition(where_localhost_is_known))
{
    code_server_process code_server({"--listen=localhost:0"});
    const auto upstream = "localhost:" + std::to_string(code_server.port());
    causeway_process causeway({"--listen=localhost:0", "--upstream=" + upstream});

    const auto on_ipv6 = causeway.wait_for_line("listening on").find("[::1]") != std::string::npos;
    connection client(causeway.port(), on_ipv6 ? "::1" : "127.0.0.1");
    BOOST_TEST(get(client, "404").body == body_for("404"));
}

BOOST_AUTO_TEST_CASE(a_code_server_waits_for_an_address_that_is_in_use)
{
    const auto started = clock::now();
    listener other;
    code_server_process code_server({"--listen=" + other.address(), "--bind-retry=20ms"});
    const auto third = code_server.wait_for_line("in use", 3);
    BOOST_TEST(third.find(other.address()) != std::string::npos);
    BOOST_TEST((clock::now() - started >= 40ms));

    other.close();
    connection client(code_server.port());
    client.send("404\n");
    BOOST_TEST(client.receive_line().starts_with("Code 404: Not Found, "));
}

// How they stop

BOOST_DATA_TEST_CASE(a_signal_ends_an_idle_causeway_with_0, boost::unit_test::data::make({SIGTERM, SIGINT}))
{
    causeway_process causeway(in_front_of({"127.0.0.1:1"}, {"--threads=2"}));
    causeway.port();
    causeway.signal(sample);
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_DATA_TEST_CASE(a_signal_ends_a_code_server_with_0, boost::unit_test::data::make({SIGTERM, SIGINT}))
{
    code_server_process code_server(on_a_free_port);
    connection client(code_server.port());
    client.send("404\n");
    BOOST_TEST(client.receive_line().starts_with("Code 404: "));

    code_server.signal(sample);
    BOOST_TEST(code_server.wait() == 0);
    BOOST_TEST(client.receive_rest() == "");
}

BOOST_AUTO_TEST_CASE(a_signal_ends_a_code_server_that_waits_for_its_address)
{
    const listener other;
    code_server_process code_server({"--listen=" + other.address(), "--bind-retry=1h"});
    code_server.wait_for_line("in use");
    code_server.signal(SIGTERM);
    BOOST_TEST(code_server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_request_under_way_is_answered_before_the_end)
{
    listener backend;
    causeway_process causeway(in_front_of({backend.address()}, {"--threads=1", "--reply-timeout=1h"}));
    auto upstream = backend.accept();
    connection client(causeway.port());
    send_request(client, "404");
    BOOST_TEST(upstream.receive_line() == "404\n");

    causeway.signal(SIGTERM);
    wait_until([&] { return !accepts_connections(causeway.port()); });
    upstream.send("Code 404: at last\n");

    const auto answer = receive_answer(client);
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(answer.body == R"({"data":"Code 404: at last\n"})");
    BOOST_TEST(answer.head.find("\r\nConnection: close\r\n") != std::string::npos);
    BOOST_TEST(client.receive_rest() == "");
    client.close();
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(causeway.output().find("cut") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_closed_in_good_order)
{
    code_server_process code_server(on_a_free_port);
    causeway_process causeway(in_front_of({code_server.address()}, {"--threads=1", "--drain-timeout=1h"}));
    connection unused(causeway.port());
    connection used(causeway.port());
    BOOST_TEST(get(used, "404").status == 200); // so both have been accepted

    causeway.signal(SIGTERM);
    BOOST_TEST(unused.receive_rest() == ""); // throws when it is reset
    BOOST_TEST(used.receive_rest() == "");
    unused.close();
    used.close();
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_AUTO_TEST_CASE(after_the_drain_timeout_it_ends_anyway_and_says_how_many_requests_it_cut)
{
    listener backend;
    causeway_process causeway(
        in_front_of({backend.address()}, {"--threads=1", "--reply-timeout=1h", "--drain-timeout=200ms"}));
    auto upstream = backend.accept();
    parallel_clients clients(causeway.port(), 3);
    clients.send(words{"404", "500"});
    upstream.receive(8);

    const auto signalled = clock::now();
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST((clock::now() - signalled >= 200ms));
    BOOST_TEST(number_before(" requests cut", causeway.wait_for_line("requests cut")) == 2U);
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_it_at_once)
{
    listener backend;
    causeway_process causeway(
        in_front_of({backend.address()}, {"--threads=1", "--reply-timeout=1h", "--drain-timeout=1h"}));
    auto upstream = backend.accept();
    connection client(causeway.port());
    send_request(client, "404");
    upstream.receive_line();

    causeway.signal(SIGTERM);
    causeway.wait_for_line("stopping");
    causeway.signal(SIGINT);
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(number_before(" requests cut", causeway.wait_for_line("requests cut")) == 1U);
    BOOST_TEST(client.receive_rest() == "");
}

// What happens to backends

BOOST_AUTO_TEST_CASE(every_answer_of_a_load_carries_its_code)
{
    code_server_process code_server(on_a_free_port);
    causeway_process causeway(in_front_of({code_server.address()}, {"--threads=2", "--reply-timeout=20s"}));
    constexpr std::size_t clients = 64;
    parallel_clients load(causeway.port(), clients);
    const auto codes = codes_of_all_kinds(50 * clients);
    for (std::span<const std::string> rest = codes; !rest.empty(); rest = rest.subspan(clients)) {
        load.send(rest.first(clients));
        BOOST_TEST(load.receive_wrong(rest.first(clients)) == words{}, boost::test_tools::per_element());
    }

    load.close();
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    const auto summary = causeway.wait_for_line("replies, ");
    BOOST_TEST(number_before(" replies", summary) == codes.size());
    BOOST_TEST(number_before(" connections", summary) == 2U);
}

BOOST_AUTO_TEST_CASE(what_one_backend_leaves_unanswered_another_is_asked)
{
    std::optional<listener> one(std::in_place);
    listener other;
    causeway_process causeway(in_front_of({one->address(), other.address()}, {"--threads=1", "--reply-timeout=1h"}));
    std::optional to_one = one->accept();
    auto to_other = other.accept();
    causeway.wait_for_line("connected", 2);

    const auto codes = codes_of_all_kinds(20);
    parallel_clients clients(causeway.port(), codes.size());
    clients.send(codes);
    const auto half = codes.size() / 2 * 4;
    BOOST_TEST(to_one->receive(half).size() == half);
    BOOST_TEST(to_other.receive(half).size() == half);
    to_one.reset();
    one.reset();

    BOOST_TEST(to_other.receive(half).size() == half);
    for (const auto& code : codes)
        to_other.send(reply_to(code));
    BOOST_TEST(clients.receive_wrong(codes) == words{}, boost::test_tools::per_element());
}

// A reply goes to the request that has waited longest for its code, also when another backend owes it that reply.
BOOST_AUTO_TEST_CASE(a_request_whose_reply_went_to_another_is_not_forgotten)
{
    listener one;
    listener other;
    causeway_process causeway(in_front_of({one.address(), other.address()}, {"--threads=1", "--reply-timeout=1h"}));
    auto first_asked = one.accept();
    auto last_asked = other.accept();
    causeway.wait_for_line("connected", 2);

    connection first(causeway.port());
    send_request(first, "404");
    wait_until([&] { return first_asked.can_receive() || last_asked.can_receive(); });
    if (last_asked.can_receive())
        std::swap(first_asked, last_asked);
    BOOST_TEST(first_asked.receive_line() == "404\n");
    connection last(causeway.port());
    send_request(last, "404");
    BOOST_TEST(last_asked.receive_line() == "404\n");

    last_asked.send(reply_to("404"));
    BOOST_TEST(is_right(receive_answer(first), "404"));
    first_asked.close();
    BOOST_TEST(last_asked.receive_line() == "404\n");
    last_asked.send(reply_to("404"));
    BOOST_TEST(is_right(receive_answer(last), "404"));
}

BOOST_AUTO_TEST_CASE(no_request_fails_while_one_of_several_backends_is_left)
{
    code_server_process one(on_a_free_port);
    code_server_process two(on_a_free_port);
    code_server_process three(on_a_free_port);
    causeway_process causeway(
        in_front_of({one.address(), two.address(), three.address()}, {"--threads=2", "--reply-timeout=20s"}));
    steady_load load(causeway.port(), 4);
    load.wait_for_answers(200);
    for (auto* killed : {&two, &one}) {
        killed->signal(SIGKILL);
        load.wait_for_answers(200);
    }
    BOOST_TEST(load.stop() == "");
}

BOOST_AUTO_TEST_CASE(no_request_fails_while_a_backend_restarts)
{
    std::optional<code_server_process> code_server(on_a_free_port);
    const auto place = "--listen=" + code_server->address();
    causeway_process causeway(in_front_of({code_server->address()}, {"--threads=2", "--reply-timeout=20s"}));
    steady_load load(causeway.port(), 4);
    for (int restarts = 0; restarts < 4; ++restarts) {
        load.wait_for_answers(200);
        code_server->signal(SIGKILL);
        BOOST_TEST(code_server->wait() == 128 + SIGKILL);
        code_server.emplace(words{place, "--bind-retry=20ms"});
    }
    load.wait_for_answers(200);
    BOOST_TEST(load.stop() == "");
}

BOOST_AUTO_TEST_CASE(a_backend_that_hangs_costs_its_requests_a_timeout_and_later_ones_nothing)
{
    code_server_process code_server(on_a_free_port);
    causeway_process causeway(in_front_of({code_server.address()}, {"--threads=1", "--reply-timeout=1s"}));
    const auto codes = codes_of_all_kinds(100);
    parallel_clients clients(causeway.port(), codes.size());
    clients.send(codes);
    BOOST_TEST(clients.receive_wrong(codes) == words{}, boost::test_tools::per_element());

    code_server.signal(SIGSTOP);
    const auto before = clock::now();
    clients.send(codes);
    const auto after = clock::now();
    for (std::size_t i = 0; i < codes.size(); ++i) {
        const auto answer = clients.receive(i);
        BOOST_TEST(answer.status == 504);
        BOOST_TEST(answer.body == R"({"error":"timedout"})");
        BOOST_TEST((clock::now() - before >= 1s));
    }
    BOOST_TEST((clock::now() - after < 2s));

    code_server.signal(SIGCONT);
    clients.send(codes);
    BOOST_TEST(clients.receive_wrong(codes) == words{}, boost::test_tools::per_element());
    // Replies come in the order of their requests: after this one no other is on its way.
    BOOST_TEST(get(causeway.port(), "end").body == body_for("end"));

    clients.close();
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    const auto summary = causeway.wait_for_line("replies, ");
    const auto dropped = number_before(" of them dropped", summary);
    BOOST_TEST(number_before(" requests timed out", summary) == codes.size());
    BOOST_TEST(number_before(" replies", summary) == 2 * codes.size() + 1 + dropped);
    // When it has just looked at the right moment, it has given up the silent connection, and with it the late replies.
    if (number_before(" connections", summary) == 1)
        BOOST_TEST(dropped == codes.size());
    else
        BOOST_TEST(dropped <= codes.size());
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
