// HAProxy with docs/deployment/haproxy.cfg in front of bridges and code servers, while operators and accidents stop
// some of them under load. If it is not installed, the tests say so and are skipped.
#include "../temporary.hpp"
#include "blocking.hpp"
#include "certificates.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "process.hpp"

#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/replace.hpp>
#include <boost/algorithm/string/split.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

namespace causeway::test {
namespace {

// Where Debian has it, which is not in every user's PATH.
constexpr auto haproxy_program = "/usr/sbin/haproxy";

boost::test_tools::assertion_result where_haproxy_is_installed(boost::unit_test::test_unit_id /*test*/)
{
    const bool installed = std::filesystem::exists(haproxy_program);
    if (!installed)
        std::cout << "skipped: haproxy is not installed\n";
    return installed;
}

// A free port of 127.0.0.1 that no other process gets while this object lives, except one of the same user that listens
// with SO_REUSEPORT, as HAProxy does.
class reserved_port {
public:
    reserved_port()
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        const int yes = 1;
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (setsockopt(socket_.number(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0 ||
            bind(socket_.number(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            getsockname(socket_.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
            throw std::system_error(errno, std::generic_category(), "a free port");
        number_ = ntohs(address.sin_port);
    }

    std::uint16_t number() const noexcept { return number_; }
    std::string address() const { return "127.0.0.1:" + std::to_string(number_); }

private:
    descriptor socket_;
    std::uint16_t number_ = 0;
};

// Where a bridge serves.
struct place {
    std::string address;
    std::uint16_t admin_port;
};

constexpr std::size_t bridge_count = 3;

// HAProxy with the shipped configuration, in which only machine-specific values are replaced.
class load_balancer {
public:
    // In front of three `places` and two `code_servers`; with a `certificate`, a PEM file, it speaks TLS too. Blocks
    // until it listens.
    void start(const std::vector<place>& places, const words& code_servers, const std::string& certificate = {})
    {
        auto text = text_of(CAUSEWAY_PROJECT_DIR "/docs/deployment/haproxy.cfg");
        const auto replace = [&text](const std::string& what, const std::string& by) {
            if (!boost::contains(text, what))
                throw std::runtime_error("haproxy.cfg has no '" + what + "'");
            boost::replace_all(text, what, by);
        };
        replace("chroot /var/lib/haproxy", "");
        replace("user haproxy", "");
        replace("group haproxy", "");
        replace("stats socket /run/haproxy/admin.sock mode 660", "stats socket ipv4@" + commands_.address());
        replace("    maxconn 20000\n", "    maxconn 1000\n"); // within any limit of open files
        replace("bind :80", "bind " + http_.address());
        replace("bind 127.0.0.1:8404", "bind " + metrics_.address());
        replace("bind 192.0.2.10:9670", "bind " + tcp_.address());
        for (std::size_t i = 0; i != places.size(); ++i) {
            replace("192.0.2.1" + std::to_string(i + 1) + ":8090", places[i].address);
            replace(places[i].address + " maxconn 5000 check port 8091",
                    places[i].address + " maxconn 5000 check port " + std::to_string(places[i].admin_port));
        }
        for (std::size_t i = 0; i != code_servers.size(); ++i)
            replace("192.0.2.2" + std::to_string(i + 1) + ":9670", code_servers[i]);
        if (!certificate.empty())
            replace("#bind :443 ssl crt /etc/haproxy/causeway.pem",
                    "bind " + https_.address() + " ssl crt " + certificate);
        file_.write(text);
        process_.emplace(haproxy_program, words{"-db", "-f", file_.path()}); // -db: one process, in the foreground
        wait_until([&] { return accepts_connections(port()); });
    }

    std::uint16_t port() const noexcept { return http_.number(); }
    std::uint16_t tls_port() const noexcept { return https_.number(); }
    std::uint16_t metrics_port() const noexcept { return metrics_.number(); }
    std::string address_for_bridges() const { return tcp_.address(); }

    // What it knows of a server, or of BACKEND, the bridges together: the value in a column of "show stat" (HAProxy's
    // management guide, 9.1).
    std::string figure(const std::string& server, const std::string& column) const
    {
        connection operators(commands_.number());
        operators.send("show stat\n");
        words names;
        words values;
        boost::split(names, operators.receive_line(), boost::is_any_of(","));
        while (values.size() < 2 || values[1] != server) {
            const auto line = operators.receive_line();
            if (line.empty())
                throw std::runtime_error("HAProxy knows no " + server);
            boost::split(values, line, boost::is_any_of(","));
        }
        return values.at(static_cast<std::size_t>(std::ranges::find(names, column) - names.begin()));
    }

    void wait_until_it_says(const std::string& server, const std::string& column, const std::string& value) const
    {
        wait_until([&] { return figure(server, column) == value; });
    }

private:
    reserved_port http_;
    reserved_port https_;
    reserved_port tcp_;
    reserved_port metrics_;
    reserved_port commands_;
    temporary_file file_;
    std::optional<process> process_;
};

std::string name_of_bridge(std::size_t number) { return "bridge-" + std::to_string(number + 1); }

// Three bridges behind HAProxy. Each has an address of this machine from which no client connects, so that its port is
// still free when it is restarted.
class bridges {
public:
    bridges(const words& upstreams, const words& options)
    {
        for (std::size_t i = 0; i != bridge_count; ++i) {
            const auto host = "127.0.0.1" + std::to_string(i + 1) + ':';
            auto arguments = options;
            arguments.emplace_back("--reconnect-max=100ms"); // HAProxy starts later
            for (const auto& upstream : upstreams)
                arguments.push_back("--upstream=" + upstream);
            arguments_.push_back(arguments);
            auto on_free_ports = arguments;
            on_free_ports.insert(on_free_ports.end(), {"--listen=" + host + "0", "--admin=" + host + "0"});
            auto& bridge = *processes_.emplace_back(std::make_unique<causeway_process>(on_free_ports));
            places_.push_back({host + std::to_string(bridge.port()), bridge.admin_port()});
            arguments_[i].push_back("--listen=" + places_[i].address);
            arguments_[i].push_back("--admin=" + host + std::to_string(places_[i].admin_port));
        }
    }

    const std::vector<place>& places() const noexcept { return places_; }
    causeway_process& at(std::size_t number) { return *processes_.at(number); }

    // Blocks until it has ended; returns its status.
    int end(std::size_t number, int signal)
    {
        at(number).signal(signal);
        return at(number).wait();
    }

    void start_again(std::size_t number)
    {
        processes_.at(number) = std::make_unique<causeway_process>(arguments_.at(number));
        at(number).port();
    }

private:
    std::vector<words> arguments_;
    std::vector<place> places_;
    std::vector<std::unique_ptr<causeway_process>> processes_;
};

// Two code servers, three bridges, and HAProxy: in front of the bridges and, on request, of the code servers.
struct site {
    explicit site(bool code_servers_behind_haproxy = false, const words& options = {"--threads=2"})
        : code_server_addresses{code_servers[0]->address(), code_servers[1]->address()}
        , causeways(code_servers_behind_haproxy ? words{haproxy.address_for_bridges()} : code_server_addresses, options)
    {
        haproxy.start(causeways.places(), code_server_addresses);
        for (std::size_t i = 0; i != bridge_count; ++i)
            causeways.at(i).wait_for_line("connected");
    }

    void kill_code_server(std::size_t number)
    {
        code_servers[number]->signal(SIGKILL);
        code_servers[number]->wait();
    }

    void start_code_server(std::size_t number)
    {
        code_servers[number] = std::make_unique<code_server_process>(
            words{"--listen=" + code_server_addresses[number], "--bind-retry=20ms"});
        code_servers[number]->port();
    }

    std::unique_ptr<code_server_process> code_servers[2]{std::make_unique<code_server_process>(on_a_free_port),
                                                         std::make_unique<code_server_process>(on_a_free_port)};
    words code_server_addresses;
    load_balancer haproxy;
    bridges causeways;
};

std::string right_and_soon(const answered& answered)
{
    return answered.took < scheduling ? steady_load::only_right_answers(answered) : "it took too long";
}

// A backend that the test plays behind three bridges of one thread.
struct played_backend {
    played_backend()
    {
        for (std::size_t i = 0; i != bridge_count; ++i)
            connections.push_back(backend.accept());
        haproxy.start(causeways.places(), {backend.address(), backend.address()});
    }

    // The bridge that HAProxy has given a request to.
    std::size_t bridge_at_work() const
    {
        std::size_t number = 0;
        wait_until([&] {
            number = (number + 1) % bridge_count;
            return haproxy.figure(name_of_bridge(number), "scur") == "1";
        });
        return number;
    }

    // The connection on which something has arrived.
    connection& asked()
    {
        auto found = connections.end();
        wait_until([&] {
            found = std::ranges::find_if(connections, &connection::can_receive);
            return found != connections.end();
        });
        return *found;
    }

    listener backend;
    bridges causeways{{backend.address()}, {"--threads=1", "--reply-timeout=20s"}};
    load_balancer haproxy;
    std::vector<connection> connections;
};

// A bridge that the test plays, as all three of HAProxy's, without health checks, which would reach it too.
struct played_bridge {
    played_bridge()
    {
        haproxy.start({bridge_count, {bridge.address(), nobody.number()}}, {nobody.address(), nobody.address()});
    }

    listener bridge;
    reserved_port nobody;
    load_balancer haproxy;
};

} // namespace

BOOST_AUTO_TEST_SUITE(haproxy, *boost::unit_test::precondition(where_haproxy_is_installed))

BOOST_AUTO_TEST_CASE(no_request_fails_or_is_repeated_while_the_bridges_are_restarted_one_by_one)
{
    site all(false, {"--threads=2", "--drain-delay=1200ms"});
    steady_load load(all.haproxy.port(), 8, right_and_soon);
    for (std::size_t i = 0; i != bridge_count; ++i) {
        load.wait_for_answers(200);
        BOOST_TEST(all.causeways.end(i, SIGTERM) == 0);
        all.causeways.start_again(i);
        all.haproxy.wait_until_it_says(name_of_bridge(i), "status", "UP");
    }
    load.wait_for_answers(200);
    BOOST_TEST(load.stop() == "");
    for (const std::string second_attempts : {"wretr", "wredis"}) // on the same bridge, and on another
        BOOST_TEST(all.haproxy.figure("BACKEND", second_attempts) == "0");
}

BOOST_FIXTURE_TEST_CASE(no_request_fails_when_a_bridge_stops_without_a_delay, site)
{
    steady_load load(haproxy.port(), 8, right_and_soon);
    load.wait_for_answers(200);
    BOOST_TEST(causeways.end(0, SIGTERM) == 0);
    load.wait_for_answers(200);
    BOOST_TEST(load.stop() == "");
}

BOOST_FIXTURE_TEST_CASE(no_request_fails_when_a_bridge_is_killed, site)
{
    steady_load load(haproxy.port(), 8, right_and_soon);
    load.wait_for_answers(200);
    causeways.end(1, SIGKILL);
    load.wait_for_answers(200);
    haproxy.wait_until_it_says(name_of_bridge(1), "status", "DOWN");
    load.wait_for_answers(200);
    BOOST_TEST(load.stop() == "");
}

BOOST_FIXTURE_TEST_CASE(a_request_under_way_on_a_bridge_that_is_killed_is_answered_by_another, played_backend)
{
    connection client(haproxy.port());
    send_request(client, "404");
    const auto killed = bridge_at_work();
    auto& first = asked();
    BOOST_TEST(first.receive_line() == "404\n");
    causeways.end(killed, SIGKILL);
    BOOST_TEST(first.receive_rest() == "");
    connections.erase(connections.begin() + (&first - connections.data()));

    auto& second = asked();
    BOOST_TEST(second.receive_line() == "404\n");
    second.send(reply_to("404"));
    BOOST_TEST(is_right(receive_answer(client), "404"));
}

BOOST_FIXTURE_TEST_CASE(a_request_that_may_have_had_an_effect_is_not_repeated, played_bridge)
{
    connection client(haproxy.port());
    client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n");
    {
        auto server = bridge.accept();
        while (server.receive_line() != "\r\n")
            ;
    }
    const auto answer = receive_answer(client);
    BOOST_TEST(answer.status == 502);
    BOOST_TEST(answer.body == R"({"error":"connection lost"})");
}

BOOST_FIXTURE_TEST_CASE(no_request_fails_when_a_bridge_hangs, site)
{
    steady_load load(haproxy.port(), 8);
    load.wait_for_answers(200);
    causeways.at(1).signal(SIGSTOP);
    wait_until([&] { return haproxy.figure(name_of_bridge(1), "scur") != "0"; });
    BOOST_TEST(load.stop() == ""); // after each client has got its answer
}

BOOST_AUTO_TEST_CASE(no_request_fails_when_a_code_server_behind_it_is_killed)
{
    site all(true);
    steady_load load(all.haproxy.port(), 8, right_and_soon);
    load.wait_for_answers(200);
    all.kill_code_server(0);
    all.haproxy.wait_until_it_says("code-server-1", "status", "DOWN");
    load.wait_for_answers(200);
    all.start_code_server(0);
    all.haproxy.wait_until_it_says("code-server-1", "status", "UP");
    all.kill_code_server(1);
    load.wait_for_answers(200);
    BOOST_TEST(load.stop() == "");
}

BOOST_FIXTURE_TEST_CASE(no_request_fails_when_a_code_server_that_the_bridges_know_is_killed, site)
{
    steady_load load(haproxy.port(), 8, right_and_soon);
    load.wait_for_answers(200);
    kill_code_server(0);
    load.wait_for_answers(200);
    BOOST_TEST(load.stop() == "");
}

BOOST_AUTO_TEST_CASE(a_request_is_kept_while_no_bridge_is_ready_because_the_code_servers_restart)
{
    site all(false, {"--threads=1", "--reply-timeout=10s"});
    all.kill_code_server(0);
    all.kill_code_server(1);
    for (std::size_t i = 0; i != bridge_count; ++i)
        all.haproxy.wait_until_it_says(name_of_bridge(i), "status", "DOWN");
    connection client(all.haproxy.port());
    send_request(client, "404");
    all.start_code_server(0);
    BOOST_TEST(is_right(receive_answer(client), "404"));
}

BOOST_AUTO_TEST_CASE(when_all_bridges_are_gone_its_answer_looks_like_theirs)
{
    load_balancer haproxy;
    const reserved_port nobody;
    haproxy.start({bridge_count, {nobody.address(), nobody.number()}}, {nobody.address(), nobody.address()});
    const auto answer = get(haproxy.port(), "404");
    BOOST_TEST(answer.status == 503);
    BOOST_TEST(answer.body == R"({"error":"unavailable"})");
    BOOST_TEST(boost::icontains(answer.head, "\r\nRetry-After: "));
    BOOST_TEST(boost::icontains(answer.head, "\r\nContent-Type: application/json\r\n"));
}

BOOST_FIXTURE_TEST_CASE(its_answer_to_a_body_that_is_no_http_looks_like_a_bridges, played_bridge)
{
    connection client(haproxy.port());
    client.send("POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    auto server = bridge.accept();
    while (server.receive_line() != "\r\n")
        ;
    client.send("no size\r\n");
    const auto answer = receive_answer(client);
    BOOST_TEST(answer.status == 400);
    BOOST_TEST(answer.body == R"({"error":"bad request"})");
    BOOST_TEST(boost::icontains(answer.head, "\r\nContent-Type: application/json\r\n"));
}

BOOST_FIXTURE_TEST_CASE(each_request_has_an_id_and_a_client_keeps_its_own, played_bridge)
{
    const auto id_that_comes = [&](const std::string& sent) {
        connection client(haproxy.port());
        client.send("GET / HTTP/1.1\r\nHost: test\r\n" + sent + "\r\n");
        auto server = bridge.accept();
        std::string id;
        for (auto line = server.receive_line(); line.size() > 2; line = server.receive_line())
            if (boost::istarts_with(line, "X-Request-Id: "))
                id = line.substr(line.find(' ') + 1);
        server.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        BOOST_TEST(receive_answer(client).status == 200);
        return id;
    };
    BOOST_TEST(id_that_comes("X-Request-Id: my-own.1\r\n") == "my-own.1\r\n");
    for (const auto* none_or_not_one : {"", "X-Request-Id: one, two\r\n", "X-Request-Id: 1\r\nX-Request-Id: 2\r\n"})
        BOOST_TEST(id_that_comes(none_or_not_one).size() ==
                   std::string_view("8-4-4-4-12: 36 characters of a UUID.\r\n").size());
}

BOOST_FIXTURE_TEST_CASE(it_shows_prometheus_its_own_metrics, played_bridge)
{
    connection client(haproxy.metrics_port());
    client.send("GET /metrics HTTP/1.0\r\n\r\n");
    BOOST_TEST(boost::contains(client.receive_rest(), "haproxy_server_status{proxy=\"bridges\",server=\"bridge-1\""));
}

BOOST_AUTO_TEST_CASE(it_speaks_tls_and_http_2_with_clients_when_it_has_a_certificate)
{
    authority root("Test Root");
    const auto identity = root.issue("DNS:localhost");
    const temporary_file both(text_of(identity.certificate) + text_of(identity.private_key));
    code_server_process code_server(on_a_free_port);
    const bridges causeways({code_server.address()}, {"--threads=1"});
    load_balancer haproxy;
    haproxy.start(causeways.places(), {code_server.address(), code_server.address()}, both.path());

    const auto port = std::to_string(haproxy.tls_port());
    process curl("/usr/bin/curl", {"--silent", "--cacert", root.certificate(), "--connect-to", "localhost::127.0.0.1:",
                                   "--write-out", "%{http_version}", "https://localhost:" + port + "/?statusCode=404"});
    BOOST_TEST(curl.wait() == 0);
    BOOST_TEST(curl.standard_output() == body_for("404") + "2");
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
