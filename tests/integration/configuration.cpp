// Settings from a file and the environment, and what a running program makes of SIGHUP.
#include "../temporary.hpp"
#include "blocking.hpp"
#include "certificates.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "process.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>

#include <sys/stat.h>

namespace causeway::test {
namespace {

const std::string causeway_path = CAUSEWAY_PROGRAM;
const std::string code_server_path = CODE_SERVER_PROGRAM;
const std::string iso8583_host_path = ISO8583_HOST_PROGRAM;

// A bridge on one thread, with a file of settings, in front of a backend that the test plays.
struct fixture {
    fixture() { write_file(config(), ""); }

    std::string config() const { return directory.path() + "/causeway.conf"; }
    std::string log() const { return directory.path() + "/log"; }

    void start(const std::string& settings, const words& more = {})
    {
        write_file(config(), settings);
        words arguments{"--config=" + config(), "--threads=1"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        causeway.emplace(in_front_of({backend.address()}, arguments));
        port = causeway->port();
        upstream.emplace(backend.accept());
    }

    // Returns when the settings have been read again.
    void reload(const std::string& settings)
    {
        write_file(config(), settings);
        causeway->signal(SIGHUP);
        causeway->wait_for_line("reload: ", ++reloads);
    }

    temporary_directory directory;
    listener backend;
    std::optional<causeway_process> causeway;
    std::optional<connection> upstream;
    std::uint16_t port = 0;
    std::size_t reloads = 0;
};

std::string tls_settings(const identity& shown)
{
    return "tls-certificate = " + shown.certificate + "\ntls-private-key = " + shown.private_key + "\n";
}

// A client that trusts any server.
class tls_client {
public:
    explicit tls_client(std::uint16_t port)
    {
        stream_.next_layer().connect({asio::ip::address_v4::loopback(), port});
        stream_.handshake(asio::ssl::stream_base::client);
    }

    std::string serial() { return serial_of(SSL_get0_peer_certificate(stream_.native_handle())); }

    // The answer's first line.
    std::string ask(const std::string& target)
    {
        asio::write(stream_, asio::buffer("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        std::string answer;
        asio::read_until(stream_, asio::dynamic_buffer(answer), "\r\n");
        return answer.substr(0, answer.find('\r'));
    }

    static std::string serial_of(const X509* certificate)
    {
        return std::to_string(ASN1_INTEGER_get(X509_get0_serialNumber(certificate)));
    }

private:
    asio::io_context io_;
    asio::ssl::context context_{asio::ssl::context::tls_client};
    asio::ssl::stream<asio::ip::tcp::socket> stream_{io_, context_};
};

std::string serial_shown_at(std::uint16_t port) { return tls_client(port).serial(); }

std::string serial_in(const std::string& file)
{
    const std::unique_ptr<BIO, decltype(&BIO_free)> opened(BIO_new_file(file.c_str(), "r"), BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(opened.get(), nullptr, nullptr, nullptr), X509_free);
    return tls_client::serial_of(certificate.get());
}

// The answer to a request on a new connection; nothing when that fails.
std::string status_at(std::uint16_t port)
try {
    return tls_client(port).ask("/?statusCode=none");
} catch (const boost::system::system_error&) {
    return {};
}

// Waits for a line of a file that contains `text`, and gives it.
std::string wait_for_line_in(const std::string& file, std::string_view text)
{
    std::string line;
    wait_until([&] {
        std::istringstream lines(text_of(file));
        while (std::getline(lines, line))
            if (line.find(text) != std::string::npos)
                return true;
        return false;
    });
    return line;
}

// The arguments of a shell that becomes causeway and says that the journal has what `stream` gives.
words with_journal_stream(const std::string& stream, const words& arguments)
{
    words all{"-c", "export JOURNAL_STREAM=" + stream + R"(; exec "$0" "$@")", causeway_path};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return all;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(configuration, fixture)

BOOST_AUTO_TEST_CASE(a_program_takes_its_settings_from_a_file_and_the_environment)
{
    write_file(config(), "listen = 127.0.0.1:0\nupstream = " + backend.address() + "\nreply-timeout = 1h\n");
    causeway_process program({"--config", config()}, {"CAUSEWAY_REPLY_TIMEOUT=50ms", "CAUSEWAY_THREADS=1"});

    const auto silent = backend.accept();
    BOOST_TEST(get(program.port(), "404").status == 504);
}

BOOST_AUTO_TEST_CASE(all_programs_print_what_is_in_force)
{
    process bridge(causeway_path, {"--check-config"}, {"CAUSEWAY_MAX_PENDING=7"});
    BOOST_TEST(bridge.wait() == 0);
    BOOST_TEST(std::regex_search(bridge.standard_output(), std::regex("max-pending = 7 +# CAUSEWAY_MAX_PENDING\n")));
    BOOST_TEST(bridge.standard_error() == "");

    process code_server(code_server_path, {"--check-config"}, {"CODESERVER_BIND_RETRY=7s", "CODE_SERVER_NONSENSE=1"});
    BOOST_TEST(code_server.wait() == 0);
    BOOST_TEST(
        std::regex_search(code_server.standard_output(), std::regex("bind-retry = 7s +# CODESERVER_BIND_RETRY\n")));

    process iso8583_host(iso8583_host_path, {"--check-config"}, {"ISO8583_HOST_ISO8583_FRAME=ascii4"});
    BOOST_TEST(iso8583_host.wait() == 0);
    BOOST_TEST(std::regex_search(iso8583_host.standard_output(),
                                 std::regex("iso8583-frame = ascii4 +# ISO8583_HOST_ISO8583_FRAME\n")));
}

BOOST_AUTO_TEST_CASE(a_program_that_is_told_nonsense_ends_with_2_and_a_line_for_each_error)
{
    write_file(config(), "\nthreads = none\nnonsense = 1\n");
    for (const auto& arguments : {words{"--config", config()}, words{"--config", config(), "--check-config"}}) {
        process program(causeway_path, arguments);
        BOOST_TEST(program.wait() == 2);
        BOOST_TEST(program.standard_output() == "");
        program.wait_for_line("causeway: " + config() + ":2: --threads 'none': give a whole number");
        program.wait_for_line("causeway: " + config() + ":3: there is no option 'nonsense'");
    }
}

BOOST_AUTO_TEST_CASE(the_example_file_is_valid_and_has_each_option_with_its_default)
{
    const std::string example = CAUSEWAY_PROJECT_DIR "/docs/deployment/causeway.conf";
    process program(causeway_path, {"--config", example, "--check-config"});
    BOOST_TEST_REQUIRE(program.wait() == 0, program.standard_error());

    process defaults(causeway_path, {"--check-config"});
    BOOST_TEST_REQUIRE(defaults.wait() == 0);
    std::istringstream lines(defaults.standard_output());
    const auto text = text_of(example);
    for (std::string line; std::getline(lines, line);) {
        const auto name = std::regex_replace(line, std::regex("^(# )?([a-z0-9-]+) =.*"), "$2");
        BOOST_TEST(text.find("\n#" + name + " = ") != std::string::npos, name << " is missing");
        if (name != "threads" && line.front() != '#') // as many as there are cores
            BOOST_TEST(text.find("\n#" + std::regex_replace(line, std::regex(" +# .*"), "") + '\n') !=
                           std::string::npos,
                       "another default: " << line);
    }
}

BOOST_AUTO_TEST_CASE(a_changed_reply_timeout_applies_under_load_without_a_failed_request)
{
    code_server_process code_server(on_a_free_port);
    write_file(config(), "reply-timeout = 2s\n");
    causeway_process bridge(in_front_of({code_server.address()}, {"--config=" + config(), "--threads=2"}));
    steady_load load(bridge.port(), 8);
    for (std::size_t round = 1; round <= 20; ++round) {
        load.wait_for_answers(50);
        write_file(config(), round % 2 == 0 ? "reply-timeout = 2s\n" : "reply-timeout = 3s\nmax-pending = 10000\n");
        bridge.signal(SIGHUP);
        bridge.wait_for_line("reload: reply-timeout = ", round);
    }
    load.wait_for_answers(50);
    BOOST_TEST(load.stop() == "");

    code_server.signal(SIGSTOP);
    write_file(config(), "reply-timeout = 50ms\n");
    bridge.signal(SIGHUP);
    bridge.wait_for_line("reload: reply-timeout = 50ms applied; it was 2s");
    const auto began = clock::now();
    BOOST_TEST(get(bridge.port(), "404").status == 504);
    BOOST_TEST((clock::now() - began < 1s));
    code_server.signal(SIGCONT);
}

BOOST_AUTO_TEST_CASE(what_a_running_bridge_can_change_applies_at_once)
{
    start("idle-timeout = 1h\ndrain-timeout = 1h\n");
    connection first(port);
    send_request(first, "404");
    upstream->receive_line();

    reload("max-pending = 1\nidle-timeout = 100ms\ndrain-timeout = 0s\nupstream-window = 7\nreconnect-max = 1s\n"
           "write-timeout = 1s\nmax-connections = 20\n");
    for (const auto* applied : {"reconnect-max = 1s", "upstream-window = 7", "max-pending = 1", "max-connections = 20",
                                "idle-timeout = 100ms", "write-timeout = 1s", "drain-timeout = 0s"})
        causeway->wait_for_line("reload: " + std::string(applied) + " applied; it was ");

    connection second(port);
    BOOST_TEST(get(second, "500").status == 503); // one request waits, and no more may
    BOOST_TEST(second.receive_rest() == "");      // closed when it has been idle
    causeway->signal(SIGTERM);
    BOOST_TEST(causeway->wait() == 1); // no time for the request in flight
}

BOOST_AUTO_TEST_CASE(what_needs_a_restart_is_told_and_stays_until_then)
{
    start("coalesce = false\n");
    reload("coalesce = true\nlisten = 127.0.0.1:1\n"); // the command line says where it listens
    causeway->wait_for_line("reload: coalesce = true needs a restart; until then it is false");
    reload("coalesce = true\n");
    causeway->wait_for_line("reload: coalesce = true needs a restart; until then it is false", 2);
    reload("coalesce = false\n");
    causeway->wait_for_line("reload: no setting has changed");
}

BOOST_AUTO_TEST_CASE(how_to_speak_to_an_upstream_waits_for_a_restart_together_with_its_address)
{
    authority issuer("issuer");
    write_file(config(), "upstream = " + backend.address() + '\n');
    causeway_process bridge({"--listen=127.0.0.1:0", "--threads=1", "--config=" + config()});
    auto first = backend.accept();
    connection client(bridge.port());
    send_request(client, "404");
    first.receive_line();
    first.send("Code 404: Not Found\n");
    BOOST_TEST(receive_answer(client).status == 200);

    write_file(config(), "upstream = 127.0.0.1:1\nupstream-tls = true\nupstream-ca = " + issuer.certificate() + '\n');
    bridge.signal(SIGHUP);
    bridge.wait_for_line("reload: upstream = 127.0.0.1:1 needs a restart; until then it is " + backend.address());
    bridge.wait_for_line("reload: upstream-tls = true needs a restart, like upstream; until then it is false");
    bridge.wait_for_line("reload: upstream-ca = " + issuer.certificate() + " needs a restart, like upstream");
    first.close();
    auto second = backend.accept();
    send_request(client, "404");
    BOOST_TEST(second.receive_line() == "404\n");
}

BOOST_AUTO_TEST_CASE(how_to_speak_with_clients_waits_for_a_restart_together_with_the_address)
{
    authority issuer("issuer");
    const auto own = issuer.issue("DNS:localhost");
    const auto tls = tls_settings(own) + "tls-client-ca = " + issuer.certificate() + '\n';
    write_file(config(), "listen = 127.0.0.1:0\n" + tls);
    causeway_process bridge({"--upstream=" + backend.address(), "--threads=1", "--config=" + config()});
    const auto own_port = bridge.port();

    write_file(config(), "listen = 127.0.0.1:1\n"); // on another address, behind a proxy that speaks TLS
    bridge.signal(SIGHUP);
    bridge.wait_for_line("reload: tls-client-ca = nothing needs a restart, like listen; until then it is " +
                         issuer.certificate());
    bridge.wait_for_line("reload: tls-certificate = nothing needs a restart, like listen; until then it is " +
                         own.certificate);
    connection stranger(own_port);
    stranger.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\n\r\n");
    BOOST_TEST(stranger.receive_rest().find("HTTP/1.1") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(clients_on_a_network_speak_plain_http_with_a_warning_at_the_start_and_at_a_reload)
{
    authority issuer("issuer");
    const words arguments{"--listen=0.0.0.0:0", "--upstream=" + backend.address(), "--threads=1",
                          "--config=" + config()};
    causeway_process plain(arguments);
    plain.wait_for_line("warning clients speak plain HTTP");

    write_file(config(), tls_settings(issuer.issue("DNS:localhost")));
    causeway_process secure(arguments);
    secure.wait_for_line("listening on https://");
    write_file(config(), "");
    secure.signal(SIGHUP);
    secure.wait_for_line("warning clients speak plain HTTP");
    secure.signal(SIGHUP);
    secure.wait_for_line("reload: no setting has changed");
    const auto log = secure.standard_error();
    BOOST_TEST(log.find("plain HTTP") == log.rfind("plain HTTP"));
    BOOST_TEST(log.find("plain HTTP") > log.find("listening on "));
}

BOOST_AUTO_TEST_CASE(a_reload_that_ends_tls_while_it_drains_costs_no_request_its_answer)
{
    authority issuer("issuer");
    write_file(config(), tls_settings(issuer.issue("DNS:localhost")));
    causeway_process bridge({"--listen=0.0.0.0:0", "--upstream=" + backend.address(), "--threads=1",
                             "--reply-timeout=20s", "--drain-timeout=20s", "--config=" + config()});
    auto backend_side = backend.accept();
    tls_client client(bridge.port());
    std::string answer;
    std::jthread asker([&] {
        try {
            answer = client.ask("/?statusCode=404");
        } catch (const boost::system::system_error& error) {
            answer = error.what();
        }
    });
    backend_side.receive_line();
    const auto with_listening_socket = bridge.open_descriptors();
    bridge.signal(SIGTERM);
    wait_until([&] { return bridge.open_descriptors() < with_listening_socket; });

    write_file(config(), "");
    bridge.signal(SIGHUP);
    bridge.wait_for_line("reload: tls-certificate = nothing applied");
    backend_side.send("Code 404: Not Found\n");
    asker.join();
    BOOST_TEST(answer == "HTTP/1.1 200 OK");
    BOOST_TEST(bridge.wait() == 0);
}

BOOST_AUTO_TEST_CASE(clients_are_shown_a_certificate_that_was_renewed_and_no_request_fails)
{
    authority issuer("issuer");
    const std::array certificates{issuer.issue("DNS:localhost"), issuer.issue("DNS:localhost")};
    start(tls_settings(certificates[0]));
    BOOST_TEST(serial_shown_at(port) == serial_in(certificates[0].certificate));

    std::atomic<bool> enough = false;
    std::size_t failed = 0;
    std::jthread client([&] {
        while (!enough)
            failed += status_at(port).empty() ? 1 : 0;
    });
    for (std::size_t time = 0; time != 201; ++time) { // each logs that both settings have changed
        ++reloads;
        reload(tls_settings(certificates[1 - time % 2]));
    }
    enough = true;
    client.join();
    BOOST_TEST(failed == 0U);

    BOOST_TEST(serial_shown_at(port) == serial_in(certificates[1].certificate));
    write_file(certificates[1].private_key, "no key");
    reload(tls_settings(certificates[1]));
    causeway->wait_for_line("error reload: " + certificates[1].private_key + ": cannot be used as a private key");
    BOOST_TEST(serial_shown_at(port) == serial_in(certificates[1].certificate));
}

BOOST_AUTO_TEST_CASE(an_error_in_one_line_keeps_everything_as_it_was)
{
    start("reply-timeout = 50ms\nmax-pending = 1\n");
    reload("reply-timeout = 1h\nmax-pending = 100\nthreads = none\n");
    causeway->wait_for_line("error reload: " + config() + ":3: --threads 'none': give a whole number");
    causeway->wait_for_line("error reload: all settings are kept as they were");

    connection client(port);
    BOOST_TEST(get(client, "404").status == 504);
    BOOST_TEST(causeway->standard_error().find("applied") == std::string::npos);

    ++reloads;
    reload("reply-timeout = 60ms\nmax-pending = 1\n");
    causeway->wait_for_line("reload: reply-timeout = 60ms applied; it was 50ms");
}

BOOST_AUTO_TEST_CASE(a_file_that_has_become_a_pipe_keeps_everything_as_it_was_and_holds_nothing_up)
{
    start("reply-timeout = 50ms\n");
    std::filesystem::remove(config());
    BOOST_TEST_REQUIRE(::mkfifo(config().c_str(), S_IRUSR | S_IWUSR) == 0);
    causeway->signal(SIGHUP);
    causeway->wait_for_line("error reload: cannot read --config " + config() + ": it is not a regular file");
    causeway->wait_for_line("error reload: all settings are kept as they were");
    connection client(port);
    BOOST_TEST(get(client, "404").status == 504);
}

// The log

BOOST_DATA_TEST_CASE_F(fixture, a_log_file_that_is_moved_away_is_made_anew_at_a_hangup,
                       boost::unit_test::data::make({causeway_path, code_server_path, iso8583_host_path}))
{
    words arguments{"--listen=127.0.0.1:0", "--log-file=" + log()};
    if (sample == causeway_path)
        arguments.push_back("--upstream=" + backend.address());
    process program(sample, arguments);
    wait_for_line_in(log(), "listening on ");
    std::filesystem::rename(log(), log() + ".1");
    program.signal(SIGHUP);
    wait_for_line_in(log(), "reload: no setting has changed");
    program.signal(SIGTERM);
    BOOST_TEST(program.wait() == 0);
    BOOST_TEST(text_of(log() + ".1").find("reload") == std::string::npos);
    wait_for_line_in(log(), "stopped");
    BOOST_TEST(program.output() == "");
}

BOOST_AUTO_TEST_CASE(a_log_file_is_made_anew_also_when_the_settings_have_an_error)
{
    causeway_process bridge(
        in_front_of({backend.address()}, {"--threads=1", "--config=" + config(), "--log-file=" + log()}));
    wait_for_line_in(log(), "listening on ");
    std::filesystem::rename(log(), log() + ".1");
    write_file(config(), "nonsense\n");
    bridge.signal(SIGHUP);
    wait_for_line_in(log(), "reload: all settings are kept as they were");
}

BOOST_AUTO_TEST_CASE(a_log_file_is_made_anew_also_when_the_one_that_is_wanted_cannot_be_opened)
{
    write_file(config(), "log-file = " + log() + '\n');
    causeway_process bridge(in_front_of({backend.address()}, {"--threads=1", "--config=" + config()}));
    wait_for_line_in(log(), "listening on ");
    std::filesystem::rename(log(), log() + ".1");
    write_file(config(), "log-file = " + directory.path() + "/none/log\n");
    bridge.signal(SIGHUP);
    wait_for_line_in(log(), "reload: all settings are kept as they were");
}

BOOST_AUTO_TEST_CASE(a_log_file_that_cannot_be_opened_ends_it_with_1_and_one_line_that_says_what_to_do)
{
    const auto nowhere = directory.path() + "/none/log";
    process program(causeway_path, {"--log-file", nowhere});
    BOOST_TEST(program.wait() == 1);
    const auto line = program.wait_for_line("causeway: cannot open --log-file " + nowhere + ": No such file");
    BOOST_TEST(line.find("choose a file") != std::string::npos, line);
    BOOST_TEST(program.output() == line + '\n');
}

BOOST_AUTO_TEST_CASE(a_log_file_that_cannot_be_opened_at_a_reload_leaves_the_old_one_and_everything_else)
{
    start("max-pending = 100\n");
    reload("max-pending = 1\nlog-level = error\nlog-format = json\nlog-file = " + directory.path() + "/none/log\n");
    causeway->wait_for_line("error reload: cannot open --log-file");
    causeway->wait_for_line("error reload: all settings are kept as they were");
    ++reloads;
    reload("max-pending = 100\n");
    causeway->wait_for_line("info reload: no setting has changed");
}

BOOST_AUTO_TEST_CASE(level_format_and_file_of_the_log_change_at_a_reload)
{
    start("log-level = info\n");
    reload("log-level = trace\nlog-format = json\n");
    connection client(port);
    send_request(client, "404");
    upstream->receive_line();
    causeway->wait_for_line(R"("level":"info","message":"reload: log-level = trace applied; it was info"})");
    causeway->wait_for_line(R"("level":"info","message":"reload: log-format = json applied; it was text"})");

    write_file(config(), "log-file = " + log() + '\n');
    causeway->signal(SIGHUP);
    wait_for_line_in(log(), "info reload: log-file = " + log() + " applied; it was nothing");
    write_file(config(), "");
    causeway->signal(SIGHUP);
    causeway->wait_for_line("info reload: log-file = nothing applied; it was " + log());
}

BOOST_AUTO_TEST_CASE(a_running_bridge_begins_to_trace_an_open_connection)
{
    start("");
    reload("log-level = trace\n");
    connection client(port);
    wait_until([&] {
        send_request(client, "404");
        upstream->receive_line();
        upstream->send("Code 404: Not Found\n");
        BOOST_TEST_REQUIRE(receive_answer(client).status == 200);
        return causeway->standard_error().find("wrote 4 bytes") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(each_line_of_a_log_in_json_is_an_object_whatever_a_peer_sends)
{
    causeway_process bridge(in_front_of(
        {backend.address()}, {"--threads=1", "--log-format=json", "--log-level=trace", "--reply-timeout=100ms"}));
    const auto line = bridge.wait_for_line("listening on http://");
    const auto begin = line.find("listening on ");
    connection client(port_in(line.substr(begin, line.find('"', begin) - begin)));
    auto upstream_side = backend.accept();
    send_request(client, "404");
    upstream_side.receive_line();
    upstream_side.send("\"\\\x1b[2J\xff\",\"level\":\"forged\"}\r\n");
    BOOST_TEST(receive_answer(client).status == 504);
    bridge.wait_for_line("cannot read a message");
    bridge.signal(SIGTERM);
    client.close();
    BOOST_TEST(bridge.wait() == 0);

    std::istringstream lines(bridge.standard_error());
    std::size_t count = 0;
    for (std::string each; std::getline(lines, each); ++count) {
        const auto object = boost::json::parse(each).as_object();
        BOOST_TEST(object.size() == 3U);
        BOOST_TEST(object.at("level").as_string() != "forged");
        BOOST_TEST(std::regex_match(std::string(object.at("time").as_string()),
                                    std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
    }
    BOOST_TEST(count > 5U);
}

BOOST_AUTO_TEST_CASE(where_the_journal_listens_each_line_has_its_priority_in_front)
{
    process journal("/bin/sh",
                    with_journal_stream("$(stat -L -c %d:%i /proc/self/fd/2)", in_front_of({backend.address()})));
    BOOST_TEST(journal.wait_for_line("listening on http://").starts_with("<6>"));

    for (const auto* stream : {"1:2", "", "$(stat -L -c %d:%i /proc/self/fd/1)"}) {
        process other("/bin/sh", with_journal_stream(stream, in_front_of({backend.address()})));
        BOOST_TEST(!other.wait_for_line("listening on http://").starts_with("<"));
    }
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
