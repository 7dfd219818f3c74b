// TLS on both sides, with Asio's own stream as the peer.
#include "net/tls.hpp"
#include "certificates.hpp"
#include "http/server.hpp"
#include "kit.hpp"
#include "net/connection.hpp"
#include "net/rethrow.hpp"
#include "protocols/codes/protocol.hpp"
#include "service/settings.hpp"
#include "service/tls_contexts.hpp"
#include "upstream/pool.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace causeway::test {
namespace {

namespace ssl = asio::ssl;
using ssl_stream = ssl::stream<tcp_socket>;

// More than any socket takes at once.
const std::string long_text(20'000'000, 'x');

class pages final : public http::handler {
public:
    http::reaction look_at(const http::request& request, steady_timer&) override
    {
        http::response response;
        response.body = request.target == "/long" ? long_text : request.target;
        return response;
    }

    void respond(const http::request&, http::outcome&&, http::response&) override {}
};

// Made once, because that takes longer than everything else here.
struct certificates {
    authority ours{"ours"};
    authority others{"others"};
    identity good = ours.issue("DNS:localhost,IP:127.0.0.1");
    identity wrong_name = ours.issue("DNS:elsewhere.example");
    identity expired = ours.issue("DNS:localhost,IP:127.0.0.1", -std::chrono::hours(1));
    identity of_others = others.issue("DNS:localhost,IP:127.0.0.1");
    authority expired_authority{"expired", -std::chrono::hours(1)};
    identity of_expired_authority = expired_authority.issue("DNS:localhost,IP:127.0.0.1");
};

const certificates& files()
{
    static const certificates all;
    return all;
}

net::tls_context server_context(const identity& shown = files().good, const std::string& client_ca = {})
{
    return net::make_server_context({shown.certificate, shown.private_key, client_ca});
}

// What clients of the tests have; each may be changed before it is used.
std::unique_ptr<ssl::context> client_context()
{
    auto context = std::make_unique<ssl::context>(ssl::context::tls_client);
    context->set_verify_mode(ssl::verify_peer);
    context->load_verify_file(files().ours.certificate());
    return context;
}

void show(ssl::context& context, const identity& shown)
{
    context.use_certificate_chain_file(shown.certificate);
    context.use_private_key_file(shown.private_key, ssl::context::pem);
}

struct client {
    client(const executor_type& executor, ssl::context& context)
        : stream(executor, context)
    {
    }

    // Why the server cannot be used, if it cannot. One that refuses the client says so after the handshake.
    awaitable<error_code> connect(tcp::endpoint server)
    {
        co_await stream.next_layer().async_connect(server, as_result);
        const auto [failed] = co_await stream.async_handshake(ssl::stream_base::client, as_result);
        co_return failed;
    }

    awaitable<> send(std::string request) { co_await asio::async_write(stream, asio::buffer(request), as_result); }

    awaitable<std::tuple<error_code, http_response>> receive()
    {
        boost::beast::http::response_parser<boost::beast::http::string_body> parser;
        parser.body_limit(2 * long_text.size());
        const auto [error, count] = co_await boost::beast::http::async_read(stream, input, parser, as_result);
        co_return std::tuple(error, parser.release());
    }

    awaitable<std::tuple<error_code, http_response>> get(std::string target)
    {
        co_await send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        co_return co_await receive();
    }

    // The server ends the session properly.
    awaitable<bool> ended()
    {
        char byte = 0;
        const auto [error, count] = co_await stream.async_read_some(asio::buffer(&byte, 1), as_result);
        co_return error == asio::error::eof;
    }

    ssl_stream stream;
    boost::beast::flat_buffer input;
};

struct web {
    asio::io_context io;
    pages handler;
    net::limit connections{1000};
    http::server server{net::listen(io, {asio::ip::address_v4::loopback(), 0}, net::port_sharing::never), handler,
                        http::time_limits{.idle = 2s, .reading = 1s, .writing = 5s}, connections};

    awaitable<> tell(awaitable<> story)
    {
        co_await std::move(story);
        server.drain();
    }

    void play(awaitable<> story)
    {
        asio::co_spawn(io, server.run(), [](const std::exception_ptr& thrown) { BOOST_TEST(!thrown); });
        run(io, tell(std::move(story)));
    }
};

awaitable<> is_answered(web& test, ssl::context& context)
{
    client client(test.io.get_executor(), context);
    const auto failed = co_await client.connect(test.server.endpoint());
    BOOST_TEST(!failed, failed.message());
    const auto [error, response] = co_await client.get("/page");
    BOOST_TEST(!error, error.message());
    BOOST_TEST(response.body() == "/page");
}

// In the handshake or, where the server looks at the client's part later, in the first answer.
awaitable<> is_refused(web& test, ssl::context& context)
{
    client client(test.io.get_executor(), context);
    if (co_await client.connect(test.server.endpoint()))
        co_return;
    const auto [error, response] = co_await client.get("/page");
    BOOST_TEST(error.failed());
}

awaitable<> write_until_broken(net::connection& connection, bool& broken, std::size_t& counted)
{
    const auto failed = co_await connection.handshake();
    BOOST_TEST(!failed, failed.message());
    const auto [error, count] = co_await connection.write(asio::buffer(long_text));
    broken = error.failed();
    counted = count;
}

awaitable<> hear_one_after_the_other_and_together(web& test, ssl::context& trusted)
{
    client client(test.io.get_executor(), trusted);
    const auto failed = co_await client.connect(test.server.endpoint());
    BOOST_TEST(!failed, failed.message());
    for (const std::string target : {"/one", "/two"}) {
        const auto [error, response] = co_await client.get(target);
        BOOST_TEST(response.body() == target);
    }
    co_await client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto [error_of_a, a] = co_await client.receive();
    const auto [error_of_b, b] = co_await client.receive();
    BOOST_TEST(a.body() == "/a");
    BOOST_TEST(b.body() == "/b");
    BOOST_TEST(co_await client.ended());
}

awaitable<> hear_a_long_answer_twice(web& test, ssl::context& trusted)
{
    client client(test.io.get_executor(), trusted);
    co_await client.connect(test.server.endpoint());
    for (int time = 0; time != 2; ++time) {
        const auto [error, response] = co_await client.get("/long");
        BOOST_TEST(!error, error.message());
        BOOST_TEST((response.body() == long_text));
    }
}

awaitable<> resume_with_other_contexts(web& test, ssl::context& trusted)
{
    client first(test.io.get_executor(), trusted);
    co_await first.connect(test.server.endpoint());
    co_await first.get("/page"); // with TLS 1.3 the tickets arrive after the handshake
    auto* const session = SSL_get1_session(first.stream.native_handle());

    test.server.use_tls(server_context(files().wrong_name));
    client second(test.io.get_executor(), trusted);
    SSL_set_session(second.stream.native_handle(), session);
    const auto failed = co_await second.connect(test.server.endpoint());
    BOOST_TEST(!failed, failed.message());
    BOOST_TEST(SSL_session_reused(second.stream.native_handle()) == 1);

    test.server.use_tls(server_context(files().good, files().ours.certificate()));
    client third(test.io.get_executor(), trusted);
    SSL_set_session(third.stream.native_handle(), session);
    if (!co_await third.connect(test.server.endpoint())) {
        const auto [error, response] = co_await third.get("/page");
        BOOST_TEST(error.failed(), "clients need a certificate now, and this one has shown none");
    }
    SSL_SESSION_free(session);
}

// A context whose certificates are verified as they would have been two hours ago.
net::tls_context server_context_of_the_past(const std::string& client_ca)
{
    const auto then = std::chrono::system_clock::now() - std::chrono::hours(2);
    auto context = server_context(files().good, client_ca);
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context->native_handle()),
                               std::chrono::system_clock::to_time_t(then));
    return context;
}

std::unique_ptr<ssl::context> client_context_showing(const identity& shown, int version)
{
    auto context = client_context();
    SSL_CTX_set_max_proto_version(context->native_handle(), version);
    show(*context, shown);
    return context;
}

// A client that was admitted two hours ago, and whether it is admitted now.
struct returning_client {
    ssl::context& context;
    std::string client_ca;
    bool is_let_in;
};

// Admitted clients resume their sessions; the others are verified, and refused.
awaitable<> resume_after_two_hours(web& test, std::vector<returning_client> clients)
{
    for (const auto& each : clients) {
        test.server.use_tls(server_context_of_the_past(each.client_ca));
        client first(test.io.get_executor(), each.context);
        co_await first.connect(test.server.endpoint());
        const auto [failed, page] = co_await first.get("/page");
        BOOST_TEST(!failed, failed.message());
        const std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(
            SSL_get1_session(first.stream.native_handle()), SSL_SESSION_free);

        test.server.use_tls(server_context(files().good, each.client_ca));
        client second(test.io.get_executor(), each.context);
        SSL_set_session(second.stream.native_handle(), session.get());
        co_await second.connect(test.server.endpoint());
        const auto [refused, page_again] = co_await second.get("/page");
        BOOST_TEST(refused.failed() == !each.is_let_in, refused.message());
        BOOST_TEST(SSL_session_reused(second.stream.native_handle()) == (each.is_let_in ? 1 : 0));
    }
}

// A client that misbehaves, through OpenSSL's own calls.
class wilful_client {
public:
    wilful_client(ssl::context& context, tcp_socket& socket)
        : ssl_(SSL_new(context.native_handle()), SSL_free)
    {
        SSL_set_fd(ssl_.get(), socket.native_handle());
        SSL_set_connect_state(ssl_.get());
    }

    bool handshake() { return SSL_do_handshake(ssl_.get()) == 1; }
    bool update_keys() { return SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1 && handshake(); }
    bool send(std::string_view text) { return SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) > 0; }

private:
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

const std::array versions{TLS1_2_VERSION, TLS1_3_VERSION};

} // namespace

BOOST_AUTO_TEST_SUITE(tls)
BOOST_FIXTURE_TEST_SUITE(towards_clients, web)

BOOST_DATA_TEST_CASE_F(web, a_client_gets_its_answers, versions, version)
{
    server.use_tls(server_context());
    const auto context = client_context();
    SSL_CTX_set_max_proto_version(context->native_handle(), version);
    play(hear_one_after_the_other_and_together(*this, *context));
}

// Sending stops where the socket is full; the rest is sent when there is room.
BOOST_DATA_TEST_CASE_F(web, an_answer_that_no_socket_takes_at_once_is_whole, versions, version)
{
    server.use_tls(server_context());
    const auto context = client_context();
    SSL_CTX_set_max_proto_version(context->native_handle(), version);
    play(hear_a_long_answer_twice(*this, *context));
}

BOOST_AUTO_TEST_CASE(a_client_of_a_version_before_1_2_is_refused)
{
    server.use_tls(server_context());
    const auto context = client_context();
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_1_VERSION);
    SSL_CTX_set_max_proto_version(context->native_handle(), TLS1_1_VERSION);
    SSL_CTX_set_security_level(context->native_handle(), 0);
    play(is_refused(*this, *context));
}

BOOST_AUTO_TEST_CASE(a_client_that_speaks_plain_http_gets_nothing)
{
    server.use_tls(server_context());
    play([](web& test) -> awaitable<> {
        http_client plain(test.io.get_executor());
        co_await plain.connect(test.server.endpoint());
        co_await plain.send("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
        std::array<char, 1024> bytes{};
        const auto [error, count] = co_await plain.socket.async_read_some(asio::buffer(bytes), as_result);
        BOOST_TEST(std::string_view(bytes.data(), count).find("page") == std::string_view::npos);
    }(*this));
}

BOOST_AUTO_TEST_CASE(a_client_that_stalls_in_the_handshake_is_ended_after_the_reading_limit)
{
    server.use_tls(server_context());
    play([](web& test) -> awaitable<> {
        http_client silent(test.io.get_executor());
        co_await silent.connect(test.server.endpoint());
        const auto begin = clock::now();
        BOOST_TEST(co_await silent.closed());
        BOOST_TEST((clock::now() - begin >= 1s));
        BOOST_TEST((clock::now() - begin <= 2s));
    }(*this));
}

// So does a client that dies in the middle of a record, which the server cannot tell from a request in flight.
BOOST_AUTO_TEST_CASE(a_client_that_stalls_in_a_record_is_ended_after_the_reading_limit)
{
    server.use_tls(server_context());
    const auto context = client_context();
    play([](web& test, ssl::context& trusted) -> awaitable<> {
        client client(test.io.get_executor(), trusted);
        co_await client.connect(test.server.endpoint());
        co_await client.get("/page");
        const auto begin = clock::now();
        const std::string part_of_a_record("\x17\x03\x03", 3);
        co_await asio::async_write(client.stream.next_layer(), asio::buffer(part_of_a_record), as_result);
        BOOST_TEST(co_await client.ended());
        BOOST_TEST((clock::now() - begin >= 2s)); // idle
        BOOST_TEST((clock::now() - begin <= 5s)); // and then reading
    }(*this, *context));
}

BOOST_AUTO_TEST_CASE(where_clients_need_a_certificate_only_those_with_one_of_the_right_authority_get_in)
{
    server.use_tls(server_context(files().good, files().ours.certificate()));
    const auto none = client_context();
    const auto right = client_context();
    show(*right, files().good);
    const auto wrong = client_context();
    show(*wrong, files().of_others);
    const auto too_old = client_context();
    show(*too_old, files().expired);
    play([](web& test, std::vector<ssl::context*> refused, ssl::context& let_in) -> awaitable<> {
        for (auto* context : refused)
            co_await is_refused(test, *context);
        co_await is_answered(test, let_in);
    }(*this, {none.get(), wrong.get(), too_old.get()}, *right));
}

BOOST_AUTO_TEST_CASE(the_protocol_is_http_1_1)
{
    server.use_tls(server_context());
    const auto both = client_context();
    SSL_CTX_set_alpn_protos(both->native_handle(), reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"), 12);
    const auto http_2 = client_context();
    SSL_CTX_set_alpn_protos(http_2->native_handle(), reinterpret_cast<const unsigned char*>("\x02h2"), 3);
    play([](web& test, ssl::context& chooses, ssl::context& insists) -> awaitable<> {
        client client(test.io.get_executor(), chooses);
        co_await client.connect(test.server.endpoint());
        const unsigned char* chosen = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(client.stream.native_handle(), &chosen, &size);
        BOOST_TEST(std::string(chosen, chosen + size) == "http/1.1");
        co_await is_refused(test, insists);
    }(*this, *both, *http_2));
}

// Another context may be that of another event loop, or have a new certificate.
BOOST_DATA_TEST_CASE_F(web, a_session_is_resumed_with_another_context, versions, version)
{
    server.use_tls(server_context());
    const auto context = client_context();
    SSL_CTX_set_max_proto_version(context->native_handle(), version);
    play(resume_with_other_contexts(*this, *context));
}

// Otherwise it would be admitted for as long as it resumes its sessions.
BOOST_DATA_TEST_CASE_F(web, a_session_is_resumed_until_a_certificate_expires_that_its_client_was_let_in_with, versions,
                       version)
{
    const auto& all = files();
    const auto good = client_context_showing(all.good, version);
    const auto expired = client_context_showing(all.expired, version);
    const auto of_expired_authority = client_context_showing(all.of_expired_authority, version);
    play(resume_after_two_hours(*this, {{*good, all.ours.certificate(), true},
                                        {*expired, all.ours.certificate(), false},
                                        {*of_expired_authority, all.expired_authority.certificate(), false}}));
}

BOOST_AUTO_TEST_CASE(an_idle_session_is_ended_in_good_order)
{
    server.use_tls(server_context());
    const auto context = client_context();
    play([](web& test, ssl::context& trusted) -> awaitable<> {
        client client(test.io.get_executor(), trusted);
        co_await client.connect(test.server.endpoint());
        co_await client.get("/page");
        BOOST_TEST(co_await client.ended());
    }(*this, *context));
}

// The descriptor of a closed socket may be reused at once.
BOOST_AUTO_TEST_CASE(what_is_under_way_when_a_connection_is_reset_reaches_nobody_else)
{
    server.use_tls(server_context());
    tcp_acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    const auto context = net::make_client_context({.ca = files().ours.certificate()}, "localhost");
    play([](web& test, tcp_acceptor& door, ssl::context& trusted) -> awaitable<> {
        tcp_socket socket(door.get_executor());
        co_await socket.async_connect(test.server.endpoint(), as_result);
        socket.non_blocking(true);
        const auto number = socket.native_handle();
        net::connection connection(std::move(socket));
        connection.connect_tls(trusted, "localhost");
        BOOST_TEST(!co_await connection.handshake());

        connection.reset();
        tcp_socket other(door.get_executor());
        other.connect(door.local_endpoint());
        auto peer_of_other = door.accept();
        BOOST_TEST_REQUIRE(other.native_handle() == number);

        const std::string secret = "GET /secret HTTP/1.1\r\n\r\n";
        BOOST_TEST(connection.write_at_once(asio::buffer(secret)) == 0U);
        const auto [error, count] = co_await connection.write(asio::buffer(secret));
        BOOST_TEST(error.failed());
        co_await connection.hang_up();
        BOOST_TEST(peer_of_other.available() == 0U);
    }(*this, acceptor, *context));
}

// The kernel may have a part of the record that was being sent: this matters for messages that must not be written
// twice.
BOOST_AUTO_TEST_CASE(what_was_being_written_when_a_connection_broke_counts_as_written)
{
    tcp_acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    const auto context = net::make_client_context({.ca = files().ours.certificate()}, "localhost");
    // With 1.3 the tickets would be unread when it closes, and a reset would discard what was sent.
    SSL_CTX_set_max_proto_version(context->native_handle(), TLS1_2_VERSION);
    run(io, [](tcp_acceptor& door, ssl::context& trusted) -> awaitable<> {
        tcp_socket socket(door.get_executor());
        co_await socket.async_connect(door.local_endpoint(), as_result);
        socket.non_blocking(true);
        net::connection connection(std::move(socket));
        connection.connect_tls(trusted, "localhost");
        auto server_side = server_context();
        ssl_stream reader(co_await door.async_accept(asio::deferred), *server_side);
        bool broken = false;
        std::size_t counted = 0;
        asio::co_spawn(door.get_executor(), write_until_broken(connection, broken, counted), net::rethrow);
        co_await reader.async_handshake(ssl::stream_base::server, as_result);
        co_await settle(); // all buffers are full

        connection.close();

        std::size_t received = 0;
        std::vector<char> room(100'000);
        for (error_code ended; !ended;) {
            const auto [error, count] = co_await reader.async_read_some(asio::buffer(room), as_result);
            received += count;
            ended = error;
        }
        BOOST_TEST(broken);
        BOOST_TEST(counted == received + SSL3_RT_MAX_PLAIN_LENGTH);
    }(acceptor, *context));
}

BOOST_AUTO_TEST_CASE(a_peer_that_only_updates_its_keys_is_read_in_turns)
{
    tcp_acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    acceptor.set_option(asio::socket_base::receive_buffer_size(1'000'000));
    tcp_socket near(io, tcp::v4());
    near.set_option(asio::socket_base::send_buffer_size(1'000'000));
    near.connect(acceptor.local_endpoint());
    near.non_blocking(true);
    auto far = acceptor.accept();
    far.native_non_blocking(true);
    const auto trusted = client_context();
    const auto shown = server_context();
    wilful_client client(*trusted, near);
    auto session = net::tls_session::accepting(*shown, far);
    bool agreed = false;
    for (int round = 0; round != 10 && !agreed; ++round) {
        const bool client_agreed = client.handshake();
        agreed = !session.handshake() && client_agreed;
    }
    BOOST_REQUIRE(agreed);

    for (int i = 0; i != 3000; ++i)
        BOOST_REQUIRE(client.update_keys());
    BOOST_REQUIRE(client.send("at last"));

    error_code error;
    std::string text(100, ' ');
    BOOST_TEST(session.read(asio::buffer(text), error) == 0U);
    BOOST_TEST(error == asio::error::would_block);
    BOOST_TEST(far.available() != 0U);
    std::size_t count = 0;
    while (error == asio::error::would_block) {
        far.wait(asio::socket_base::wait_read);
        count = session.read(asio::buffer(text), error);
    }
    BOOST_TEST(text.substr(0, count) == "at last");
}

BOOST_AUTO_TEST_CASE(a_name_that_no_certificate_can_have_is_refused_in_words)
{
    BOOST_CHECK_EXCEPTION(
        net::make_client_context({.ca = files().ours.certificate()}, "fe80::1%lo"), std::runtime_error,
        [](const std::runtime_error& refused) { return std::string_view(refused.what()).starts_with("fe80::1%lo: "); });
}

BOOST_AUTO_TEST_CASE(files_that_cannot_be_used_are_named)
{
    const auto& all = files();
    const auto names = [](const std::string& file) {
        return [file](const std::runtime_error& error) { return std::string(error.what()).starts_with(file + ": "); };
    };
    BOOST_CHECK_EXCEPTION(net::make_server_context({"/nowhere.pem", all.good.private_key, ""}), std::runtime_error,
                          names("/nowhere.pem"));
    BOOST_CHECK_EXCEPTION(net::make_server_context({all.good.certificate, all.wrong_name.private_key, ""}),
                          std::runtime_error, names(all.wrong_name.private_key));
    BOOST_CHECK_EXCEPTION(net::make_server_context({all.good.certificate, all.good.private_key, all.good.private_key}),
                          std::runtime_error, names(all.good.private_key));
    BOOST_CHECK_EXCEPTION(net::make_client_context({"/nowhere.pem", "", ""}, "localhost"), std::runtime_error,
                          names("/nowhere.pem"));
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

// Answers codes over TLS, with a certificate that can be changed.
class secure_backend {
public:
    explicit secure_backend(asio::io_context& io)
        : backend_(io, [this](peer& peer) { return serve(peer); })
    {
    }

    net::host_port address(const std::string& host = "127.0.0.1") const { return {host, backend_.address().port}; }
    std::size_t connections() const { return backend_.connections(); }
    std::size_t agreed() const { return agreed_; }
    void stop() { backend_.stop(); }

    // For new connections; open ones are lost.
    void show(const identity& shown, const std::string& client_ca = {})
    {
        context_ = std::make_unique<ssl::context>(ssl::context::tls_server);
        test::show(*context_, shown);
        if (!client_ca.empty()) {
            context_->load_verify_file(client_ca);
            context_->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
        }
    }

    void lose_connections()
    {
        for (auto* peer : peers_)
            peer->reset();
    }

    using tls_stream = ssl::stream<tcp_socket&>;
    using answer_function = std::function<awaitable<>(tls_stream&, std::string code)>;

    // Instead of the reply to each code.
    void answer_with(answer_function answer) { answer_ = std::move(answer); }

private:
    static awaitable<> reply(tls_stream& stream, std::string code)
    {
        co_await asio::async_write(stream, asio::buffer(reply_line(code)), as_result);
    }

    awaitable<> serve(peer& peer)
    {
        peers_.push_back(&peer);
        tls_stream stream(peer.socket, *context_);
        const auto [failed] = co_await stream.async_handshake(ssl::stream_base::server, as_result);
        agreed_ += failed ? 0 : 1;
        asio::streambuf input;
        while (!failed) {
            const auto [error, count] = co_await asio::async_read_until(stream, input, '\n', as_result);
            if (error)
                break;
            const std::string code(asio::buffers_begin(input.data()),
                                   asio::buffers_begin(input.data()) + static_cast<std::ptrdiff_t>(count) - 1);
            input.consume(count);
            co_await answer_(stream, code);
        }
        std::erase(peers_, &peer);
    }

    std::unique_ptr<ssl::context> context_;
    std::vector<peer*> peers_;
    std::size_t agreed_ = 0;
    answer_function answer_ = reply;
    backend_double backend_;
};

using namespace asio::experimental::awaitable_operators;

struct upstream_side {
    asio::io_context io;
    net::limit pending{1000};
    secure_backend backend{io};
    upstream::pool_settings settings = settings_for({backend.address()});

    upstream_side()
    {
        settings.reply_timeout = 300ms;
        trust({.ca = files().ours.certificate()}, "127.0.0.1");
    }

    void trust(const net::client_tls& trusted, const std::string& name)
    {
        settings.tls = {{net::make_client_context(trusted, name), name}};
    }

    // Asks again and again until there is a reply, or for a second; gives whether there was one.
    static awaitable<bool> is_answered(upstream::pool& pool)
    {
        steady_timer deadline(co_await asio::this_coro::executor);
        const auto code = codes::code::parse("404").value();
        for (const auto end = clock::now() + 1s; clock::now() < end;) {
            const auto outcome = co_await pool.ask(codes::question_for(code), deadline);
            if (outcome)
                co_return *outcome == reply_line("404");
            co_await sleep(10ms);
        }
        co_return false;
    }

    using story_function = awaitable<> (*)(upstream_side&, upstream::pool&);

    void play(story_function story)
    {
        upstream::pool pool(io, settings, pending);
        pool.start();
        run(io, [](upstream_side& test, upstream::pool& asked, story_function told) -> awaitable<> {
            co_await told(test, asked);
            asked.stop();
            test.backend.stop();
        }(*this, pool, story));
        BOOST_TEST(pool.idle());
    }

    static awaitable<> hears(upstream_side&, upstream::pool& pool) { BOOST_TEST(co_await is_answered(pool)); }
    static awaitable<> hears_nothing(upstream_side& test, upstream::pool& pool)
    {
        BOOST_TEST(!co_await is_answered(pool));
        BOOST_TEST(test.backend.connections() > 0U);
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(towards_upstreams, upstream_side)

BOOST_AUTO_TEST_CASE(an_upstream_with_a_good_certificate_is_asked)
{
    backend.show(files().good);
    play(hears);
}

BOOST_AUTO_TEST_CASE(its_certificate_may_be_for_a_name_that_was_chosen)
{
    trust({.ca = files().ours.certificate()}, "elsewhere.example");
    backend.show(files().wrong_name);
    play(hears);
}

BOOST_AUTO_TEST_CASE(the_dot_at_the_end_of_a_name_is_not_looked_for_in_its_certificate)
{
    service::bridge_settings of_bridge;
    of_bridge.upstreams = {{"backend.test.", 1}};
    of_bridge.upstream_tls = true;
    of_bridge.upstream_trust.ca = files().ours.certificate();
    BOOST_TEST(service::make_tls_contexts(of_bridge).upstreams.front().name == "backend.test");
}

BOOST_AUTO_TEST_CASE(an_upstream_is_not_asked_whose_certificate_is_for_another_name)
{
    backend.show(files().wrong_name);
    play(hears_nothing);
}

BOOST_AUTO_TEST_CASE(an_upstream_is_not_asked_whose_certificate_has_expired)
{
    backend.show(files().expired);
    play(hears_nothing);
}

BOOST_AUTO_TEST_CASE(an_upstream_is_not_asked_whose_certificate_nobody_trusted_has_signed)
{
    backend.show(files().of_others);
    play(hears_nothing);
}

BOOST_AUTO_TEST_CASE(every_connection_is_verified_and_not_only_the_first)
{
    backend.show(files().good);
    play([](upstream_side& test, upstream::pool& pool) -> awaitable<> {
        BOOST_TEST(co_await is_answered(pool));
        test.backend.show(files().of_others);
        test.backend.lose_connections();
        BOOST_TEST(!co_await is_answered(pool));
        BOOST_TEST(test.backend.connections() > 1U);
        test.backend.show(files().good);
        BOOST_TEST(co_await is_answered(pool));
    });
}

BOOST_AUTO_TEST_CASE(an_upstream_that_asks_for_a_certificate_gets_one)
{
    trust({files().ours.certificate(), files().good.certificate, files().good.private_key}, "127.0.0.1");
    backend.show(files().good, files().ours.certificate());
    play(hears);
}

BOOST_AUTO_TEST_CASE(an_upstream_that_asks_for_a_certificate_and_gets_none_is_not_asked)
{
    backend.show(files().good, files().ours.certificate());
    play(hears_nothing);
}

// The socket does not tell of what OpenSSL has taken from it.
BOOST_AUTO_TEST_CASE(replies_that_came_together_are_all_heard_although_more_is_written_at_that_moment)
{
    backend.show(files().good);
    auto others = many_other_clients(io);
    backend.answer_with([&](secure_backend::tls_stream& stream, std::string code) -> awaitable<> {
        if (code == "500") {
            std::ranges::for_each(others, &other_client::send);
            for (const auto* asked : {"404", "500"}) // at once, each in a TLS record of its own
                asio::write(stream, asio::buffer(reply_line(asked)));
        }
        co_return;
    });
    upstream::pool pool(io, settings, pending);
    pool.start();
    const auto ask = [](upstream::pool& asked, std::string_view code) -> awaitable<upstream::outcome> {
        steady_timer deadline(co_await asio::this_coro::executor);
        co_return co_await asked.ask(codes::question_for(codes::code::parse(code).value()), deadline);
    };
    asio::co_spawn(
        io,
        [](other_client& client, upstream::pool& asked, auto ask_for) -> awaitable<> {
            co_await client.has_sent();
            co_await ask_for(asked, "503");
        }(others.front(), pool, ask),
        net::rethrow);
    run(io, [](upstream::pool& asked, auto ask_for, secure_backend& asked_of) -> awaitable<> {
        const auto [first, second] = co_await (ask_for(asked, "404") && ask_for(asked, "500"));
        BOOST_TEST(first.has_value());
        BOOST_TEST(second.has_value());
        asked.stop();
        asked_of.stop();
    }(pool, ask, backend));
}

// Each comes in a TLS record of its own.
BOOST_AUTO_TEST_CASE(replies_that_came_while_everything_stood_still_are_all_heard)
{
    backend.show(files().good);
    const std::vector<std::string> codes{"200", "301", "404", "500", "503", "501", "502", "504"};
    std::size_t asked = 0;
    backend.answer_with([&](secure_backend::tls_stream& stream, const std::string&) -> awaitable<> {
        if (++asked == codes.size())
            for (const auto& each : codes)
                asio::write(stream, asio::buffer(reply_line(each)));
        co_return;
    });
    upstream::pool pool(io, settings, pending);
    pool.start();
    std::size_t replies = 0;
    std::size_t ended = 0;
    const auto ask = [&](std::string code) -> awaitable<> {
        steady_timer deadline(io.get_executor());
        const auto outcome = co_await pool.ask(codes::question_for(codes::code::parse(code).value()), deadline);
        replies += outcome.has_value() ? 1 : 0;
        if (++ended == codes.size()) {
            pool.stop();
            backend.stop();
        }
    };
    for (const auto& code : codes)
        asio::co_spawn(io, ask(code), net::rethrow);
    while (asked != codes.size())
        BOOST_TEST_REQUIRE(wait_for_something(io, clock::now() + patience));
    stand_still(io, settings.reply_timeout);
    finish(io);
    BOOST_TEST(replies == codes.size());
}

BOOST_AUTO_TEST_SUITE_END()
BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
