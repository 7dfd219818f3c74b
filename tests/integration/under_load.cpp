// The bridge under load while backends go down and come back, while it is told to stop, and while resources run out.
//
// CAUSEWAY_RESTARTS, CAUSEWAY_STOPS, CAUSEWAY_ROLLING_RESTARTS and CAUSEWAY_SOAK_SECONDS make these tests as long as
// docs/reliability.md reports them.
#include "../temporary.hpp"
#include "blocking.hpp"
#include "certificates.hpp"
#include "faulty_backend.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "process.hpp"
#include "scrape.hpp"
#include "tls_relay.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace causeway::test {
namespace {

// How a bridge talks to its clients and to its code server: both with TLS, or both without.
class transport {
public:
    transport(bool with_tls, std::uint16_t code_server)
        : upstream_("127.0.0.1:" + std::to_string(code_server))
    {
        if (with_tls)
            tls_.emplace(code_server);
    }

    // The arguments of a bridge on a free port.
    words arguments(words more) const
    {
        if (!tls_)
            return in_front_of({upstream_}, more);
        more.insert(more.end(),
                    {"--upstream-tls", "--upstream-ca=" + tls_->issuer.certificate(),
                     "--tls-certificate=" + tls_->shown.certificate, "--tls-private-key=" + tls_->shown.private_key});
        return in_front_of({tls_->relay.address()}, more);
    }

    place to(causeway_process& bridge) const { return {bridge.port(), tls_ ? tls_->trusted : client_context()}; }

private:
    struct tls {
        explicit tls(std::uint16_t code_server)
            : relay(shown, code_server)
        {
        }
        authority issuer{"issuer"};
        identity shown = issuer.issue("IP:127.0.0.1");
        client_context trusted = trust(issuer.certificate());
        tls_relay relay;
    };

    std::string upstream_;
    std::optional<tls> tls_;
};

const auto without_and_with_tls = boost::unit_test::data::make({false, true});

// A bridge that is scraped continuously. If its counters ever failed to add up, the test fails at its end.
class audited_causeway : public causeway_process {
public:
    explicit audited_causeway(words arguments)
        : causeway_process(with_admin_pages(std::move(arguments)))
        , auditor_(admin_port())
    {
    }
    ~audited_causeway() { BOOST_TEST(auditor_.stop() == ""); }
    audited_causeway(const audited_causeway&) = delete;
    audited_causeway& operator=(const audited_causeway&) = delete;

private:
    static words with_admin_pages(words arguments)
    {
        std::erase(arguments, "--admin=off");
        arguments.emplace_back("--admin=127.0.0.1:0");
        return arguments;
    }

    auditor auditor_;
};

void end_and_stay_away(std::optional<code_server_process>& code_server, int signal, std::chrono::milliseconds away)
{
    code_server->signal(signal);
    code_server->wait();
    code_server.reset();
    std::this_thread::sleep_for(away);
}

void start_again(std::optional<code_server_process>& code_server, const std::string& address)
{
    code_server.emplace(words{"--listen=" + address, "--bind-retry=20ms"});
    code_server->port();
}

// A client that never waits for an answer but reads them all, until the bridge has closed the connection. All its
// requests can be answered at once.
class flood {
public:
    explicit flood(std::uint16_t port)
        : connection_(port)
        , receiver_([this] { receive(); })
        , sender_([this] { send(); })
    {
    }

    ~flood() { ended_ = true; }
    flood(const flood&) = delete;
    flood& operator=(const flood&) = delete;

    // Blocks until `count` bytes of answers have arrived.
    void wait_for_bytes(std::size_t count)
    {
        wait_until([&] { return received_ >= count; });
    }

private:
    void receive()
    {
        constexpr std::size_t at_once = 64 * 1024;
        std::size_t count = at_once;
        try {
            while (count == at_once && !ended_) {
                count = connection_.receive(at_once).size();
                received_ += count;
            }
        } catch (const std::exception&) {
            // A reset is an end too, when the client goes on sending.
        }
        ended_ = true;
    }

    void send()
    {
        std::string requests;
        for (int i = 0; i != 1000; ++i)
            requests += "GET /x HTTP/1.1\r\nHost:\r\n\r\n";
        try {
            while (!ended_)
                connection_.send(requests);
        } catch (const std::exception&) {
            // The same.
        }
    }

    connection connection_;
    std::atomic<std::size_t> received_{0};
    std::atomic<bool> ended_{false};
    std::jthread receiver_;
    std::jthread sender_;
};

// A client whose SYN gets no answer waits for a second until its TCP retries.
std::string right_and_without_a_retry(const answered& answered)
{
    return answered.retries_of_tcp == 0 ? steady_load::only_right_answers(answered) : "TCP had to try again";
}

// Connects for each request until it is refused or told to stop. Returns anything else that happened, in words, or
// nothing.
std::string connect_and_ask(const place& server, const std::atomic<bool>& stop)
try {
    while (!stop) {
        keep_alive_client client(server);
        const auto answer = client.get("404");
        if (!answer)
            continue; // on the next connection
        const auto wrong = right_and_without_a_retry({"404", *answer, {}, client.retries()});
        if (!wrong.empty())
            return wrong;
    }
    return "";
} catch (const cannot_connect& error) {
    if (error.code() != std::errc::connection_refused)
        return error.what();
    return error.retries() == 0 ? "" : "refused only after TCP had tried again";
} catch (const std::exception& error) {
    return error.what();
}

// Clients that connect for each request, without a pause.
class newcomers {
public:
    newcomers(const place& server, std::size_t count)
        : wrong_(count)
    {
        for (auto& wrong : wrong_)
            threads_.emplace_back([this, &wrong, server] { wrong = connect_and_ask(server, stop_); });
    }

    // Blocks until each has been refused. Returns anything else that happened to any of them.
    words wait()
    {
        threads_.clear();
        std::erase(wrong_, "");
        return wrong_;
    }

    words stop()
    {
        stop_ = true;
        return wait();
    }

private:
    words wrong_;
    std::atomic<bool> stop_{false};
    std::vector<std::jthread> threads_;
};

} // namespace

BOOST_AUTO_TEST_SUITE(under_load)

// Backends

BOOST_AUTO_TEST_CASE(every_answer_of_a_load_carries_its_code)
{
    code_server_process code_server(on_a_free_port);
    audited_causeway causeway(in_front_of({code_server.address()}, {"--threads=2", "--reply-timeout=20s"}));
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
    audited_causeway causeway(in_front_of({one->address(), other.address()}, {"--threads=1", "--reply-timeout=1h"}));
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

// A reply goes to the request that has waited longest for its code, even if another backend owes it that reply.
BOOST_AUTO_TEST_CASE(a_request_whose_reply_went_to_another_is_not_forgotten)
{
    listener one;
    listener other;
    audited_causeway causeway(in_front_of({one.address(), other.address()}, {"--threads=1", "--reply-timeout=1h"}));
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
    audited_causeway causeway(
        in_front_of({one.address(), two.address(), three.address()}, {"--threads=2", "--reply-timeout=20s"}));
    steady_load load(causeway.port(), 4);
    load.wait_for_answers(200);
    for (auto* killed : {&two, &one}) {
        killed->signal(SIGKILL);
        load.wait_for_answers(200);
    }
    BOOST_TEST(load.stop() == "");
}

BOOST_DATA_TEST_CASE(no_request_fails_while_a_backend_restarts, without_and_with_tls)
{
    const auto restarts = from_environment("CAUSEWAY_RESTARTS", 4);
    std::optional<code_server_process> code_server(on_a_free_port);
    const auto address = code_server->address();
    const transport transport(sample, code_server->port());
    audited_causeway causeway(transport.arguments({"--threads=2", "--reply-timeout=20s"}));
    steady_load load(transport.to(causeway), 8);
    for (std::uint64_t i = 0; i < restarts; ++i) {
        load.wait_for_answers(200);
        end_and_stay_away(code_server, i % 2 == 0 ? SIGKILL : SIGTERM, std::chrono::milliseconds(i * 37 % 150));
        start_again(code_server, address);
    }
    load.wait_for_answers(200);
    BOOST_TEST(load.stop() == "");
    BOOST_TEST_MESSAGE(restarts << " restarts, " << load.answers() << " answers, all of them 200");
}

BOOST_AUTO_TEST_CASE(a_backend_away_for_longer_than_the_timeout_costs_only_503_and_504_each_in_time)
{
    const auto restarts = from_environment("CAUSEWAY_RESTARTS", 3);
    constexpr auto reply_timeout = 150ms;
    constexpr auto reconnect_max = 300ms;
    std::optional<code_server_process> code_server(on_a_free_port);
    const auto address = code_server->address();
    audited_causeway causeway(
        in_front_of({address}, {"--threads=1", "--reply-timeout=150ms", "--reconnect-max=300ms"}));
    clock::duration slowest_recovery{};
    steady_load load(causeway.port(), 8, right_or_refused_in_time(reply_timeout));
    for (std::uint64_t i = 0; i < restarts; ++i) {
        load.wait_for_answers(200, 200);
        end_and_stay_away(code_server, i % 2 == 0 ? SIGKILL : SIGTERM, 0ms);
        load.wait_for_answers(20, 503); // so it was away for longer than the timeout
        start_again(code_server, address);
        const auto back_at = clock::now();
        load.wait_for_answers(1, 200);
        slowest_recovery = std::max(slowest_recovery, clock::now() - back_at);
    }
    BOOST_TEST(load.stop() == "");
    BOOST_TEST((slowest_recovery < reconnect_max + scheduling));
    BOOST_TEST_MESSAGE(restarts << " restarts; answers: " << load.answers(200) << " x 200, " << load.answers(503)
                                << " x 503, " << load.answers(504) << " x 504; slowest recovery "
                                << std::chrono::duration_cast<std::chrono::milliseconds>(slowest_recovery).count()
                                << " ms");
}

BOOST_AUTO_TEST_CASE(a_backend_that_hangs_costs_its_requests_a_timeout_and_later_ones_nothing)
{
    code_server_process code_server(on_a_free_port);
    audited_causeway causeway(in_front_of({code_server.address()}, {"--threads=1", "--reply-timeout=2s"}));
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
        BOOST_TEST((clock::now() - before >= 2s));
    }
    BOOST_TEST((clock::now() - after < 2s + scheduling));

    code_server.signal(SIGCONT);
    clients.send(codes);
    BOOST_TEST(clients.receive_wrong(codes) == words{}, boost::test_tools::per_element());
    // Replies arrive in the order of their requests: after this one no other is in flight.
    BOOST_TEST(get(causeway.port(), "end").body == body_for("end"));

    clients.close();
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    const auto summary = causeway.wait_for_line("replies, ");
    const auto dropped = number_before(" of them dropped", summary);
    BOOST_TEST(number_before(" requests timed out", summary) == codes.size());
    BOOST_TEST(number_before(" replies", summary) == 2 * codes.size() + 1 + dropped);
    // If it happened to check at the right moment, it has given up the silent connection, and with it the late replies.
    if (number_before(" connections", summary) == 1)
        BOOST_TEST(dropped == codes.size());
    else
        BOOST_TEST(dropped <= codes.size());
}

// Stopping

BOOST_DATA_TEST_CASE(sigterm_under_load_answers_every_request_that_was_read_and_resets_no_client, without_and_with_tls)
{
    code_server_process code_server(on_a_free_port);
    const transport transport(sample, code_server.port());
    audited_causeway causeway(transport.arguments({"--threads=2", "--reply-timeout=20s"}));
    steady_load load(transport.to(causeway), 64);
    load.wait_for_answers(1000);

    causeway.signal(SIGTERM);
    BOOST_TEST(load.wait() == "");
    BOOST_TEST(causeway.wait() == 0);
    BOOST_TEST(causeway.output().find("cut") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(clients_that_connect_without_end_are_answered_until_they_are_refused_at_once)
{
    code_server_process code_server(on_a_free_port);
    for (std::uint64_t stops = from_environment("CAUSEWAY_STOPS", 4); stops != 0; --stops) {
        audited_causeway causeway(in_front_of({code_server.address()}, {"--threads=32", "--reply-timeout=20s"}));
        newcomers clients(causeway.port(), 16);
        steady_load others(causeway.port(), 4);
        others.wait_for_answers(200);

        // The thread that handles one socket after the other is interrupted often.
        BOOST_REQUIRE(setpriority(PRIO_PROCESS, static_cast<id_t>(causeway.id()), 19) == 0);
        causeway.signal(SIGTERM);
        BOOST_TEST(others.wait() == "");
        BOOST_TEST(clients.wait() == words{}, boost::test_tools::per_element());
        BOOST_TEST(causeway.wait() == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_client_that_pipelines_without_end_keeps_neither_others_from_their_answers_nor_it_from_stopping)
{
    code_server_process code_server(on_a_free_port);
    audited_causeway causeway(in_front_of({code_server.address()}, {"--threads=1"}));
    flood flood(causeway.port());
    flood.wait_for_bytes(1024 * 1024);
    for (int i = 0; i != 10; ++i)
        BOOST_TEST(is_right(get(causeway.port(), "404"), "404"));
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
}

BOOST_DATA_TEST_CASE(a_rolling_restart_under_load_fails_and_delays_no_request, without_and_with_tls)
{
    const auto restarts = from_environment("CAUSEWAY_ROLLING_RESTARTS", 3);
    code_server_process code_server(on_a_free_port);
    const transport transport(sample, code_server.port());
    auto arguments = transport.arguments({"--threads=2", "--reply-timeout=20s", "--share-port"});
    auto causeway = std::make_unique<audited_causeway>(arguments);
    arguments.push_back("--listen=" + causeway->address());
    arguments.erase(arguments.begin());

    newcomers clients(transport.to(*causeway), 4);
    const auto server = transport.to(*causeway);
    steady_load load(server, 16, right_and_without_a_retry, steady_load::when_closed::connect_again);
    for (std::uint64_t i = 0; i < restarts; ++i) {
        load.wait_for_answers(500);
        auto next = std::make_unique<audited_causeway>(arguments);
        next->port();
        causeway->signal(SIGTERM);
        BOOST_TEST(causeway->wait() == 0);
        causeway = std::move(next);
    }
    load.wait_for_answers(500);
    BOOST_TEST(load.stop() == "");
    BOOST_TEST(clients.stop() == words{}, boost::test_tools::per_element());
    BOOST_TEST_MESSAGE(restarts << " rolling restarts, " << load.answers() << " answers, all of them 200");
}

// Of several attempts, because a client seldom meets the instant in which such a process listens.
BOOST_AUTO_TEST_CASE(a_process_that_cannot_start_takes_no_connection_from_the_one_that_serves_the_port)
{
    code_server_process code_server(on_a_free_port);
    causeway_process causeway(in_front_of({code_server.address()}, {"--threads=2", "--share-port"}));
    newcomers clients(causeway.port(), 4);
    for (const auto* mistake : {"--access-log=/nonexistent/file", "--admin=192.0.2.77:80"})
        for (int i = 0; i != 10; ++i) {
            causeway_process wrong({"--listen=" + causeway.address(), "--upstream=" + code_server.address(),
                                    "--threads=2", "--share-port", mistake});
            BOOST_TEST(wrong.wait() == 1);
        }
    // The emulated host needs a field that this dialect does not have.
    const temporary_file dialect(R"({"name": "without 38", "fields": {
        "0": {"type": "Numeric", "length": 4, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "1": {"type": "Bitmap", "length": 16, "enc": "Binary", "prefix": "Binary.Fixed"},
        "7": {"type": "Numeric", "length": 10, "enc": "BCD", "prefix": "BCD.Fixed"},
        "11": {"type": "Numeric", "length": 6, "enc": "BCD", "prefix": "BCD.Fixed"},
        "39": {"type": "String", "length": 2, "enc": "ASCII", "prefix": "ASCII.Fixed"},
        "70": {"type": "Numeric", "length": 3, "enc": "BCD", "prefix": "BCD.Fixed"}}})");
    for (int i = 0; i != 10; ++i) {
        causeway_process wrong({"--listen=" + causeway.address(), "--protocol=iso8583",
                                "--iso8583-spec=" + dialect.path(), "--share-port"});
        BOOST_TEST(wrong.wait() == 1);
    }
    BOOST_TEST(clients.stop() == words{}, boost::test_tools::per_element());
}

// At its limit of open files, for example.
BOOST_AUTO_TEST_CASE(a_process_that_cannot_see_the_others_on_its_port_leaves_their_newcomers_to_all_of_them)
{
    code_server_process code_server(on_a_free_port);
    causeway_process leaving(in_front_of({code_server.address()}, {"--threads=1", "--share-port"}));
    const words arguments{"--listen=" + leaving.address(), "--upstream=" + code_server.address(), "--threads=1",
                          "--share-port"};
    std::list<causeway_process> staying;
    for (int i = 0; i != 2; ++i)
        staying.emplace_back(arguments).port();
    rlimit before{};
    BOOST_REQUIRE(prlimit(leaving.id(), RLIMIT_NOFILE, nullptr, &before) == 0);
    const rlimit none_more{1, before.rlim_max};
    BOOST_REQUIRE(prlimit(leaving.id(), RLIMIT_NOFILE, &none_more, nullptr) == 0);

    leaving.signal(SIGTERM);
    leaving.wait_for_line("cannot read in /proc/self/net/tcp whether another process serves this port");
    prlimit(leaving.id(), RLIMIT_NOFILE, &before, nullptr); // the address sanitizer opens files when a program ends
    BOOST_TEST(leaving.wait() == 0);

    for (int i = 0; i != 40; ++i)
        BOOST_TEST(is_right(get(staying.front().port(), "404"), "404"));
    for (auto& process : staying) {
        process.signal(SIGTERM);
        BOOST_TEST(process.wait() == 0);
        BOOST_TEST(number_before(" replies", process.wait_for_line(" replies, ")) > 0U);
    }
}

// Limits of the system

BOOST_AUTO_TEST_CASE(at_the_limit_of_open_files_it_stays_alive_and_recovers)
{
    code_server_process code_server(on_a_free_port);
    causeway_process causeway(in_front_of({code_server.address()}, {"--threads=1"}));
    connection early(causeway.port());
    BOOST_TEST(is_right(get(early, "404"), "404"));

    constexpr rlimit few{24, 24};
    BOOST_REQUIRE(prlimit(causeway.id(), RLIMIT_NOFILE, &few, nullptr) == 0);
    std::optional<parallel_clients> crowd(std::in_place, causeway.port(), 40);
    causeway.wait_for_line("cannot accept a connection");
    BOOST_TEST(is_right(get(early, "500"), "500"));

    crowd.reset();
    BOOST_TEST(is_right(get(causeway.port(), "200"), "200"));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
