// The HTTP side over real connections: what a client sends, and the one answer it gets.
#include "http/server.hpp"
#include "kit.hpp"
#include "net/wakeup.hpp"
#include "protocols/codes/http.hpp"
#include "service/program.hpp"
#include "tcp_segments.hpp"
#include "upstream/outcome.hpp"

#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace causeway::test {
namespace {

using boost::beast::http::field;
using boost::beast::http::status;

// Questions that wait until the test answers them.
class oracle {
public:
    awaitable<upstream::outcome> ask(codes::code, steady_timer& deadline)
    {
        deadline.expires_after(patience);
        auto& asking = questions_.emplace_back(deadline);
        asked_.notify();
        co_await deadline.async_wait(as_result);
        asking.ended = true;
        asked_.notify();
        co_return asking.answer;
    }

    explicit oracle(const executor_type& executor)
        : asked_(executor)
    {
    }

    // Waits until `count` questions have been asked.
    awaitable<> asked(std::size_t count)
    {
        while (questions_.size() < count)
            co_await asked_.wait();
    }

    // How many questions have no waiting request any more.
    std::size_t ended() const { return static_cast<std::size_t>(std::ranges::count_if(questions_, &question::ended)); }

    // Waits until no request waits for the first question any more.
    awaitable<> given_up()
    {
        while (!questions_.front().ended)
            co_await asked_.wait();
    }

    void answer(std::size_t number, upstream::outcome answer)
    {
        auto& asking = *std::next(questions_.begin(), static_cast<std::ptrdiff_t>(number));
        asking.answer = std::move(answer);
        asking.deadline.cancel();
    }

    // Answers all questions that have been asked and not answered.
    void answer_all(const upstream::outcome& answer)
    {
        for (auto& asking : questions_)
            if (!asking.ended) {
                asking.answer = answer;
                asking.deadline.cancel();
            }
    }

private:
    struct question {
        explicit question(steady_timer& timer)
            : deadline(timer)
        {
        }
        steady_timer& deadline;
        bool ended = false;
        upstream::outcome answer = upstream::failure::timed_out;
    };

    std::list<question> questions_;
    net::wakeup asked_;
};

// Codes, looked up with a function from the test.
class lookup final : public http::handler {
public:
    using ask_function = std::function<awaitable<http::outcome>(codes::code, steady_timer&)>;

    explicit lookup(ask_function ask)
        : ask_(std::move(ask))
    {
    }

    http::reaction look_at(const http::request& request, steady_timer& deadline) override
    {
        auto code = codes::code_in(request);
        if (!code)
            return std::move(code).error();
        return ask_(*code, deadline);
    }

    void respond(const http::request&, http::outcome&& outcome, http::response& response) override
    {
        codes::respond(outcome, response);
    }

private:
    ask_function ask_;
};

// Returns the body of a request, at once or, for /later, after a wait and preceded by its outcome.
class echo final : public http::handler {
public:
    http::body_use use_of_bodies() const noexcept override { return http::body_use::kept; }

    http::reaction look_at(const http::request& request, steady_timer&) override
    {
        if (request.target == "/later")
            return wait();
        return http::response{status::created, "text/plain", "X-Type: " + request.content_type + "\r\n", request.body};
    }

    void respond(const http::request& request, http::outcome&& outcome, http::response& response) override
    {
        response.status = status::accepted;
        response.body += *outcome + request.body;
    }

private:
    static awaitable<http::outcome> wait() { co_return "later: "; }
};

// Throws in the step that the target names: /look, /wait or /respond. Other requests get their target back after a
// wait.
class throwing final : public http::handler {
public:
    http::reaction look_at(const http::request& request, steady_timer&) override
    {
        if (request.target == "/look")
            throw std::runtime_error("a secret");
        return wait(request.target);
    }

    void respond(const http::request& request, http::outcome&& outcome, http::response& response) override
    {
        response.body = *outcome;
        if (request.target == "/respond")
            throw std::runtime_error("a secret");
    }

private:
    static awaitable<http::outcome> wait(std::string target)
    {
        co_await settle();
        if (target == "/wait")
            throw std::runtime_error("a secret");
        co_return target;
    }
};

// Streams what the test says, and at /flood as much as the client takes.
class streaming final : public http::handler {
public:
    explicit streaming(bool keeps_connections = false)
        : keeps_connections_(keeps_connections)
    {
    }

    bool keeps_connections() const noexcept override { return keeps_connections_; }

    http::reaction look_at(const http::request& request, steady_timer&) override
    {
        return http::stream{{.content_type = "text/plain", .fields = "X-Own: 1\r\n", .body = "first "},
                            std::make_unique<body>(*this, request.target == "/flood")};
    }

    void respond(const http::request&, http::outcome&&, http::response&) override {}

    // Gives `piece` to all who wait; an empty one ends their streams.
    void say(const std::string& piece)
    {
        for (auto* waiting : open)
            waiting->say(piece);
    }

    class body final : public http::body_source {
    public:
        body(streaming& owner, bool floods)
            : owner_(owner)
            , floods_(floods)
        {
            owner_.open.push_back(this);
        }
        ~body() override { std::erase(owner_.open, this); }

        awaitable<std::string> next(steady_timer& deadline) override
        {
            if (floods_)
                co_return std::string(1'000'000, 'x');
            deadline_ = &deadline;
            deadline.expires_at(clock::time_point::max());
            co_await deadline.async_wait(as_result);
            co_return std::exchange(piece_, {});
        }

        void say(const std::string& piece)
        {
            piece_ = piece;
            deadline_->cancel();
        }

    private:
        streaming& owner_;
        bool floods_;
        std::string piece_;
        steady_timer* deadline_ = nullptr;
    };

    std::vector<body*> open;

private:
    bool keeps_connections_;
};

// Notices each sweep, and keeps the loop busy in the middle of one.
class interrupted_sweep final : public http::access_recorder {
public:
    explicit interrupted_sweep(asio::io_context& io)
        : io_(io)
    {
    }

    // When the next sweep has begun, a millisecond passes, and then what `begin` has started happens, before the sweep
    // reaches the second part of the sessions.
    void in_the_middle_of_the_next(std::function<void()> begin) { begin_ = std::move(begin); }

    void make_id(std::string& id) override { id = "id"; }
    void record(const http::access&, std::string_view) override {}
    void sweep() override
    {
        constexpr int handlers_in_a_millisecond = 1000; // virtual_time.cpp
        if (!begin_)
            return;
        for (int i = 0; i != handlers_in_a_millisecond; ++i)
            asio::post(io_, [] {});
        std::exchange(begin_, nullptr)();
    }

private:
    asio::io_context& io_;
    std::function<void()> begin_;
};

// What is logged while this object lives.
class captured_log {
public:
    captured_log()
        : before_(spdlog::default_logger())
    {
        spdlog::set_default_logger(
            std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
    }
    ~captured_log() { spdlog::set_default_logger(before_); }
    captured_log(const captured_log&) = delete;
    captured_log& operator=(const captured_log&) = delete;

    std::string text() const { return text_.str(); }

private:
    std::shared_ptr<spdlog::logger> before_;
    std::ostringstream text_;
};

awaitable<upstream::outcome> answer_at_once(codes::code code, steady_timer&)
{
    if (code.text() == "504")
        co_return upstream::failure::timed_out;
    if (code.text() == "503")
        co_return upstream::failure::unavailable;
    if (code.text() == "999")
        co_return upstream::failure::overloaded;
    co_return reply_line(code.text());
}

struct fixture {
    asio::io_context io;
    net::limit connections{1000};
    oracle held{io.get_executor()};
    http::time_limits times;
    std::optional<int> receive_buffer;   // bytes that the kernel takes for a connection, about
    std::size_t length_of_a_request = 0; // where a test tries several

    using story = awaitable<> (*)(fixture&, http::server&, tcp::endpoint);

    // Runs `what_happens` against a server that has answers at once.
    void play(story what_happens) { play(answer_at_once, what_happens); }

    // Runs it against a server whose answers come when the test says so.
    void play_held(story what_happens)
    {
        play([this](codes::code code, steady_timer& deadline) { return held.ask(code, deadline); }, what_happens);
    }

    void play(lookup::ask_function ask, story what_happens)
    {
        lookup handler(std::move(ask));
        play(handler, what_happens);
    }

    void play(http::handler& handler, story what_happens)
    {
        auto acceptor = net::listen(io, {asio::ip::address_v4::loopback(), 0}, net::port_sharing::never);
        if (receive_buffer)
            acceptor.set_option(asio::socket_base::receive_buffer_size(*receive_buffer)); // inherited by connections
        http::server server(std::move(acceptor), handler, times, connections);
        const auto address = server.endpoint();
        asio::co_spawn(io, server.run(), [](const std::exception_ptr& thrown) { BOOST_TEST(!thrown); });
        run(io, tell(*this, server, address, what_happens));
        BOOST_TEST(connections.taken() == 0U);
    }

    static awaitable<> tell(fixture& test, http::server& server, tcp::endpoint address, story what_happens)
    {
        co_await what_happens(test, server, address);
        server.drain();
    }
};

awaitable<http_client> connect(tcp::endpoint server)
{
    http_client client(co_await asio::this_coro::executor);
    co_await client.connect(server);
    co_return client;
}

std::string get(const std::string& code) { return "GET /?statusCode=" + code + " HTTP/1.1\r\nHost: test\r\n\r\n"; }

// Sends `bytes` on a new connection and checks that they are answered with `expected` and the connection is closed.
awaitable<> check_refused(tcp::endpoint server, std::string bytes, status expected)
{
    BOOST_TEST_CONTEXT(bytes)
    {
        auto client = co_await connect(server);
        co_await client.send(std::move(bytes));
        const auto response = co_await client.receive();
        BOOST_TEST(response.result() == expected);
        BOOST_TEST(response[field::connection] == "close");
        BOOST_TEST(boost::json::parse(response.body()).as_object().contains("error"));
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
    }
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(http_server, fixture)

BOOST_AUTO_TEST_CASE(each_row_of_the_table_of_answers_over_one_connection)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        struct row {
            const char* request;
            unsigned status;
            const char* body; // empty: any text that says what is wrong
            field more = field::unknown;
        };
        const std::vector<row> table{
            {"GET /?statusCode=404", 200, R"({"data":"Code 404: of the double\n"})"},
            {"GET /?statusCode=504", 504, R"({"error":"timedout"})"},
            {"GET /?statusCode=503", 503, R"({"error":"unavailable"})", field::retry_after},
            {"GET /?statusCode=999", 503, R"({"error":"overloaded"})", field::retry_after},
            {"GET /", 400, ""},
            {"GET /?statusCode=1&statusCode=2", 400, ""},
            {"GET /?statusCode=40", 400, ""},
            {"GET /?statusCode=4%0A4", 400, ""},
            {"POST /?statusCode=404", 405, "", field::allow},
            {"GET /other", 404, R"({"error":"not found"})"},
        };
        auto client = co_await connect(server);
        for (const auto& row : table) {
            co_await client.send(std::string(row.request) + " HTTP/1.1\r\nHost: test\r\n\r\n");
            const auto response = co_await client.receive();
            BOOST_TEST_CONTEXT(row.request)
            {
                BOOST_TEST(response.result_int() == row.status);
                BOOST_TEST(response[field::content_type] == "application/json");
                BOOST_TEST(response.count(field::date) == 1U);
                BOOST_TEST(response[field::content_length] == std::to_string(response.body().size()));
                BOOST_TEST(response.count(field::connection) == 0U);
                BOOST_TEST((row.more == field::unknown || response.count(row.more) == 1U));
                if (*row.body != '\0')
                    BOOST_TEST(response.body() == row.body);
                else
                    BOOST_TEST(!boost::json::parse(response.body()).at("error").as_string().empty());
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(a_handler_chooses_the_status_the_type_and_the_fields_of_a_response_and_any_body)
{
    echo handler;
    play(handler, [](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        const std::string bytes("\0\r\n\xff", 4);
        auto client = co_await connect(server);
        co_await client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Type: a/b\r\nContent-Length: 4\r\n\r\n" + bytes);
        const auto response = co_await client.receive();
        BOOST_TEST(response.result() == status::created);
        BOOST_TEST(response[field::content_type] == "text/plain");
        BOOST_TEST(response["X-Type"] == "a/b");
        BOOST_TEST(response.body() == bytes);
    });
}

BOOST_AUTO_TEST_CASE(a_handler_gets_each_request_with_its_own_body_also_behind_a_wait)
{
    echo handler;
    play(handler, [](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        const std::string now = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nnow";
        const std::string later = "POST /later HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "2\r\nch\r\n4\r\nunks\r\n0\r\n\r\n";
        const std::string nothing = "GET /later HTTP/1.1\r\nHost: test\r\n\r\n";
        auto client = co_await connect(server);
        for (const auto& [requests, bodies] :
             {std::pair(now, std::vector{"now"}), std::pair(later, std::vector{"later: chunks"}),
              std::pair(nothing, std::vector{"later: "}),
              std::pair(later + now + nothing + later,
                        std::vector{"later: chunks", "now", "later: ", "later: chunks"})}) {
            co_await client.send(requests);
            for (const std::string body : bodies) {
                const auto response = co_await client.receive();
                BOOST_TEST(response.body() == body);
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(head_gets_the_same_head_and_no_body)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        for (const std::string target : {"/?statusCode=404", "/?statusCode=504", "/", "/other"}) {
            auto got = co_await client.get(target);
            co_await client.send("HEAD " + target + " HTTP/1.1\r\nHost: test\r\n\r\n");
            const auto head = co_await client.receive(true);
            BOOST_TEST(head.result() == got.result());
            BOOST_TEST(head.body().empty());
            for (const auto name : {field::content_type, field::content_length, field::retry_after})
                BOOST_TEST(head[name] == got[name]);
        }
        const auto after = co_await client.get("/?statusCode=404"); // nothing was left over on the connection
        BOOST_TEST(after.result() == status::ok);
    });
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        std::string requests;
        for (int i = 100; i < 200; ++i)
            requests += "GET /?statusCode=" + std::to_string(i) + " HTTP/1.1\r\nHost: test\r\n\r\n";
        co_await client.send(requests);
        for (int i = 100; i < 200; ++i) {
            const auto response = co_await client.receive();
            BOOST_TEST(response.body().find("Code " + std::to_string(i)) != std::string::npos);
        }
    });
}

BOOST_AUTO_TEST_CASE(pipelined_requests_wait_for_their_replies_together)
{
    play_held([](fixture& test, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send(get("101") + get("102") + get("103"));
        co_await test.held.asked(3);
        for (const std::size_t number : {2U, 1U, 0U})
            test.held.answer(number, reply_line(std::to_string(101 + number)));
        for (const std::string code : {"101", "102", "103"}) {
            const auto response = co_await client.receive();
            BOOST_TEST(response.body().find("Code " + code) != std::string::npos);
        }
    });
}

awaitable<> check_that_three_are_asked_together(fixture& test, http::server&, tcp::endpoint server)
{
    auto client = co_await connect(server);
    const std::string begin = "GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\nCookie: ";
    const std::string end = "\r\n\r\n";
    const auto request = begin + std::string(test.length_of_a_request - begin.size() - end.size(), 'x') + end;
    co_await client.send(request + request + request);
    co_await test.held.asked(3);
    test.held.answer_all(reply_line("404"));
    for (int i = 0; i != 3; ++i)
        co_await client.receive();
}

// Around the room that a new connection has for its first request, and that plus the room for the rest of it.
BOOST_DATA_TEST_CASE(pipelined_requests_are_asked_together_wherever_a_read_ends,
                     boost::unit_test::data::make({199U, 200U, 201U, 4295U, 4296U, 4297U}), length)
{
    length_of_a_request = length;
    play_held(check_that_three_are_asked_together);
}

BOOST_AUTO_TEST_CASE(as_many_pipelined_requests_as_have_come_are_asked_together)
{
    play_held([](fixture& test, http::server&, tcp::endpoint server) -> awaitable<> {
        constexpr std::size_t count = 32; // of half a kibibyte, as from a browser
        auto client = co_await connect(server);
        std::string requests;
        for (std::size_t i = 0; i < count; ++i)
            requests += "GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\nCookie: " + std::string(457, 'x') + "\r\n\r\n";
        BOOST_TEST(requests.size() == 16U * 1024);
        co_await client.send(requests);
        co_await test.held.asked(count);
        for (std::size_t i = 0; i < count; ++i)
            test.held.answer(i, reply_line("404"));
        for (std::size_t i = 0; i < count; ++i)
            co_await client.receive();
    });
}

// The client always has more to send than the kernel accepts, so what it can send is what the server reads.
BOOST_AUTO_TEST_CASE(a_client_that_pipelines_without_end_is_held_back)
{
    receive_buffer = 16 * 1024;
    play_held([](fixture& test, http::server&, tcp::endpoint server) -> awaitable<> {
        constexpr std::size_t together = http::pipeline::longest;
        constexpr std::size_t rounds = 200;
        constexpr std::size_t rounds_before = 20; // until the kernel's buffers are full
        constexpr std::size_t in_segments = 64 * 1024;
        const std::string request = "GET /?statusCode=404 HTTP/1.1\r\nHost:\r\n\r\n";
        std::string flood;
        while (flood.size() < 10'000 * request.size())
            flood += request;
        std::vector<char> answers(64 * 1024);

        auto client = co_await connect(server);
        client.socket.set_option(asio::socket_base::send_buffer_size(16 * 1024));
        client.socket.non_blocking(true);
        std::size_t sent = 0;
        std::size_t sent_before = 0;
        for (std::size_t round = 0; round != rounds; ++round) {
            error_code full;
            while (!full)
                sent += client.socket.write_some(asio::buffer(flood) + sent % flood.size(), full);
            if (round == rounds_before)
                sent_before = sent;
            co_await test.held.asked(1 + round * together);
            co_await settle(); // by then the requests that arrived with it have been asked too
            test.held.answer_all(reply_line("404"));
            co_await client.socket.async_read_some(asio::buffer(answers), as_result);
        }
        BOOST_TEST(sent - sent_before < (rounds - rounds_before) * together * request.size() + in_segments);
        client.socket.close();
        test.held.answer_all(upstream::failure::timed_out);
    });
}

// Including requests that need no wait, from a client that has always sent more by the time it gets its answers.
BOOST_AUTO_TEST_CASE(a_turn_of_the_event_loop_answers_one_pipeline_of_a_client_and_then_others_have_theirs)
{
    play([](fixture&, http::server& server, tcp::endpoint address) -> awaitable<> {
        const std::string request = "GET /x HTTP/1.1\r\nHost:\r\n\r\n";
        std::string flood;
        while (flood.size() < 64 * 1024)
            flood += request;
        std::vector<char> answers(64 * 1024);
        auto client = co_await connect(address);
        co_await client.send(request);
        const auto [failed, answer] = co_await client.socket.async_read_some(asio::buffer(answers), as_result);
        BOOST_TEST_REQUIRE(!failed);
        auto other = co_await connect(address);
        client.socket.non_blocking(true);

        std::size_t sent = 0;
        std::size_t most_received = 0;
        bool other_has_asked = false;
        bool drains = false;
        error_code closed;
        while (!closed || closed == asio::error::would_block) {
            error_code full;
            sent += client.socket.write_some(asio::buffer(flood) + sent % flood.size(), full);
            if (sent > flood.size() && !std::exchange(other_has_asked, true))
                asio::write(other.socket, asio::buffer(get("404")));
            if (other.socket.available() != 0 && !std::exchange(drains, true))
                server.drain();
            co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
            most_received = std::max(most_received, client.socket.read_some(asio::buffer(answers), closed));
        }
        const auto response = co_await other.receive();
        BOOST_TEST(response.result() == status::ok);
        BOOST_TEST(most_received < (http::pipeline::longest + 1) * answer);
    });
}

BOOST_AUTO_TEST_CASE(a_pipelined_answer_does_not_wait_for_those_behind_it)
{
    play_held([](fixture& test, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send(get("101") + get("102"));
        co_await test.held.asked(2);
        test.held.answer(0, reply_line("101"));
        const auto first = co_await client.receive();
        BOOST_TEST(first.body().find("Code 101") != std::string::npos);
        test.held.answer(1, reply_line("102"));
        const auto second = co_await client.receive();
        BOOST_TEST(second.body().find("Code 102") != std::string::npos);
    });
}

BOOST_AUTO_TEST_CASE(pipelined_answers_that_are_there_go_out_in_one_write)
{
    play_held([](fixture& test, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send(get("101") + get("102") + get("103"));
        co_await test.held.asked(3);
        for (const std::size_t number : {1U, 2U, 0U})
            test.held.answer(number, reply_line(std::to_string(101 + number)));
        for (int i = 0; i < 3; ++i)
            co_await client.receive();
        BOOST_TEST(data_segments_received(client.socket.native_handle()) == 1U);
    });
}

BOOST_AUTO_TEST_CASE(behind_a_pipelined_request_to_close_nothing_is_answered)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send(get("101") + "GET /?statusCode=102 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n" +
                             get("103"));
        const auto first = co_await client.receive();
        BOOST_TEST(first.keep_alive());
        const auto last = co_await client.receive();
        BOOST_TEST(last.body().find("Code 102") != std::string::npos);
        BOOST_TEST(last[field::connection] == "close");
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
    });
}

BOOST_AUTO_TEST_CASE(a_request_whose_handler_throws_gets_500_and_a_close_and_only_the_log_says_why)
{
    const captured_log log;
    throwing handler;
    play(handler, [](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        for (const std::string target : {"/look", "/wait", "/respond"})
            for (const std::string method : {"GET ", "HEAD "})
                BOOST_TEST_CONTEXT(method << target)
                {
                    const bool head = method == "HEAD ";
                    auto client = co_await connect(server);
                    co_await client.send(method + target + " HTTP/1.1\r\nHost: test\r\n\r\n");
                    const auto response = co_await client.receive(head);
                    BOOST_TEST(response.result() == status::internal_server_error);
                    BOOST_TEST(response[field::connection] == "close");
                    BOOST_TEST(response.body() == (head ? "" : R"({"error":"internal error"})"));
                    const bool closed = co_await client.closed();
                    BOOST_TEST(closed);
                }
    });
    BOOST_TEST(log.text().find("a secret (4 failed so far)") != std::string::npos, log.text());
    BOOST_TEST(log.text().find("(5 failed so far)") == std::string::npos, log.text());
}

BOOST_AUTO_TEST_CASE(a_handler_that_throws_takes_no_answer_from_the_requests_before)
{
    throwing handler;
    play(handler, [](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        for (const std::string bad : {"/look", "/wait", "/respond"})
            BOOST_TEST_CONTEXT(bad)
            {
                auto client = co_await connect(server);
                std::string requests;
                for (const auto& target : {std::string("/1"), std::string("/2"), bad, std::string("/4")})
                    requests += "GET " + target + " HTTP/1.1\r\nHost: test\r\n\r\n";
                co_await client.send(requests);
                for (const std::string good : {"/1", "/2"}) {
                    const auto response = co_await client.receive();
                    BOOST_TEST(response.result() == status::ok);
                    BOOST_TEST(response.body() == good);
                    BOOST_TEST(response.keep_alive());
                }
                const auto last = co_await client.receive();
                BOOST_TEST(last.result() == status::internal_server_error);
                BOOST_TEST(last[field::connection] == "close");
                const bool closed = co_await client.closed();
                BOOST_TEST(closed);
            }
    });
}

BOOST_AUTO_TEST_CASE(pipelined_requests_before_a_bad_one_are_answered)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send(get("101") + get("102") + "GET / HTTP/1.1\r\n\r\n" + get("103"));
        for (const auto expected : {status::ok, status::ok, status::bad_request}) {
            const auto response = co_await client.receive();
            BOOST_TEST(response.result() == expected);
        }
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
    });
}

BOOST_AUTO_TEST_CASE(a_pipelined_request_that_has_come_in_part_is_answered_when_it_is_whole)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        const auto post = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\n12345" + get("103");
        for (std::size_t cut = 1; cut < post.size(); ++cut) {
            co_await client.send(get("101") + get("102") + post.substr(0, cut));
            for (int i = 0; i < 2; ++i)
                co_await client.receive();
            co_await client.send(post.substr(cut));
            const auto refused = co_await client.receive();
            BOOST_TEST(refused.result() == status::method_not_allowed);
            const auto last = co_await client.receive();
            BOOST_TEST(last.body().find("Code 103") != std::string::npos);
        }
    });
}

BOOST_AUTO_TEST_CASE(pipelined_requests_of_a_client_that_is_gone_are_given_up)
{
    play_held([](fixture& test, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto client = co_await connect(address);
        co_await client.send(get("101") + get("102") + get("103"));
        co_await test.held.asked(3);
        client.socket.close();
        while (test.connections.taken() != 0)
            co_await settle();
        BOOST_TEST(server.counts().responses == http::statistics().responses, boost::test_tools::per_element());
    });
}

// Their answers reach no client.
BOOST_AUTO_TEST_CASE(a_request_of_a_client_that_is_gone_counts_as_no_response)
{
    play_held([](fixture& test, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto client = co_await connect(address);
        co_await client.send(get("101"));
        co_await test.held.asked(1);
        client.socket.close();
        while (test.connections.taken() != 0)
            co_await settle();
        BOOST_TEST(server.counts().responses == http::statistics().responses, boost::test_tools::per_element());
    });
}

awaitable<> check_that_a_half_closed_client_is_answered(fixture& test, http::server&, tcp::endpoint address)
{
    auto client = co_await connect(address);
    co_await client.send(get("404"));
    client.socket.shutdown(tcp_socket::shutdown_send);
    co_await test.held.asked(1);
    co_await sleep(245ms);
    test.held.answer(0, reply_line("404"));
    const auto response = co_await client.receive();
    BOOST_TEST(response.result() == status::ok);
}

BOOST_DATA_TEST_CASE(a_client_that_has_closed_its_sending_side_has_a_quarter_of_a_second_whatever_the_limits,
                     boost::unit_test::data::make({40, 340, 504, 900, 60'000}), limit)
{
    times.idle = times.reading = times.writing = std::chrono::milliseconds(limit);
    play_held(check_that_a_half_closed_client_is_answered);
}

BOOST_AUTO_TEST_CASE(draining_answers_pipelined_requests_and_closes_behind_the_last)
{
    play_held([](fixture& test, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto client = co_await connect(address);
        co_await client.send(get("101") + get("102"));
        co_await test.held.asked(2);
        server.drain();
        test.held.answer(0, reply_line("101"));
        const auto first = co_await client.receive();
        BOOST_TEST(first.keep_alive());
        test.held.answer(1, reply_line("102"));
        const auto last = co_await client.receive();
        BOOST_TEST(last[field::connection] == "close");
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
    });
}

BOOST_AUTO_TEST_CASE(a_request_that_comes_byte_by_byte_is_one_request)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        client.socket.set_option(tcp::no_delay(true));
        const std::string plain = "GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\n\r\n";
        const std::string chunked = "GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (const auto& bytes :
             {plain, chunked + "0\r\n\r\n", chunked + "2\r\nab\r\n0\r\nTrailer: x\r\n\r\n", plain}) {
            for (const char byte : bytes) {
                co_await client.send(std::string(1, byte));
                co_await settle();
            }
            const auto response = co_await client.receive();
            BOOST_TEST(response.result() == status::ok);
        }
    });
}

BOOST_AUTO_TEST_CASE(a_body_is_read_and_ignored_plain_or_chunked)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nGET /");
        const auto plain = co_await client.receive();
        BOOST_TEST(plain.result() == status::ok);
        co_await client.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "5\r\nGET /\r\n0\r\n\r\n");
        const auto chunked = co_await client.receive();
        BOOST_TEST(chunked.result() == status::ok);
        const auto next = co_await client.get("/?statusCode=200");
        BOOST_TEST(next.result() == status::ok);
    });
}

BOOST_AUTO_TEST_CASE(http_1_0_closes_unless_asked_to_stay)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send("GET /?statusCode=404 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        const auto stays = co_await client.receive();
        BOOST_TEST(stays[field::connection] == "keep-alive");
        co_await client.send("GET /?statusCode=404 HTTP/1.0\r\n\r\n");
        const auto closes = co_await client.receive();
        BOOST_TEST(closes.result() == status::ok);
        BOOST_TEST(closes[field::connection] == "close");
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
    });
}

BOOST_AUTO_TEST_CASE(http_1_0_closes_when_asked_to_close_and_to_stay)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        for (const std::string fields :
             {"Connection: keep-alive, close\r\n", "Connection: close, keep-alive\r\n",
              "Connection: keep-alive\r\nConnection: close\r\n", "Connection: close\r\nConnection: keep-alive\r\n"}) {
            auto client = co_await connect(server);
            co_await client.send("GET /?statusCode=404 HTTP/1.0\r\n" + fields + "\r\n");
            const auto response = co_await client.receive();
            BOOST_TEST(response.result() == status::ok);
            BOOST_TEST(response[field::connection] == "close");
            const bool closed = co_await client.closed();
            BOOST_TEST(closed);
        }
    });
}

BOOST_AUTO_TEST_CASE(connection_close_is_honoured)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        const auto response = co_await client.receive();
        BOOST_TEST(response.result() == status::ok);
        BOOST_TEST(response[field::connection] == "close");
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
    });
}

BOOST_AUTO_TEST_CASE(what_can_be_read_in_two_ways_is_refused)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        const std::string get = "GET /?statusCode=404 HTTP/1.1\r\n";
        const std::string host = "Host: test\r\n";
        const std::vector<std::string> heads{
            get,                                                                         // no Host
            get + host + host,                                                           // two of them
            get + host + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",          // both
            get + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",          //
            get + host + "Content-Length: three\r\n",                                    // bad
            get + host + "Content-Length: 0x3\r\n",                                      //
            get + host + "Content-Length: +3\r\n",                                       //
            get + host + "Content-Length: \r\n",                                         // empty
            get + host + "Content-Length: -3\r\n",                                       // negative
            get + host + "Content-Length: 3\r\nContent-Length: 3\r\n",                   // repeated
            get + host + "Content-Length: 3\r\nContent-Length: 4\r\n",                   //
            get + host + "Content-Length: 3, 4\r\n",                                     //
            get + host + "Content-Length: 99999999999999999999999\r\n",                  // overflowing
            get + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", //
            get + host + "X-Folded: one\r\n two\r\n",                                    // obs-fold
            get + " Host: test\r\n",                                                     //
            get + "Host : test\r\n",                                                     // space before the colon
            get + host + "X: a\x01z\r\n",                                                // control bytes
            get + host + std::string("X: a\0z\r\n", 8),                                  //
            get + host + "X: a\x7fz\r\n",                                                //
            get + host + "X: a\rz\r\n",                                                  // bare CR
            get + host + "X: a\nY: z\r\n",                                               // bare LF
            get + host + "no colon\r\n",                                                 //
            get + host + ": no name\r\n",                                                //
            "GET  /?statusCode=404 HTTP/1.1\r\n" + host,                                 // two spaces
            "GET /?statusCode=404\r\n" + host,                                           // no version
            "GET /?statusCode=4 04 HTTP/1.1\r\n" + host,                                 // a space in the target
            "GET /?statusCode=404 HTTP/1.0\r\nTransfer-Encoding: chunked\r\n",           // RFC 9112 §6.1
            get + host + "Content-Length: 3, 3\r\n",                                     // repeated in one field
            get + "Host: a b\r\n",                                                       // no host
            get + "Host: a/b\r\n",                                                       //
            get + "Host: u@a\r\n",                                                       //
            get + "Host: a:x\r\n",                                                       //
            "GET /?statusCode=404 HTTP/1.1 \r\n" + host,                                 // a space behind the version
        };
        for (const auto& head : heads)
            co_await check_refused(server, head + "\r\nGET /?statusCode=200 HTTP/1.1\r\nHost: test\r\n\r\n",
                                   status::bad_request);
    });
}

// RFC 9110 §9.3.2
BOOST_AUTO_TEST_CASE(a_head_that_is_refused_gets_no_body)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        const std::string head = "HEAD /?statusCode=404 HTTP/1.1\r\n";
        for (const auto& bad : {head + "\r\n", head + "Host: test\r\nContent-Length: 100000\r\n\r\n",
                                head + "Host: test\r\nExpect: more\r\n\r\n", head + "Host: te\rst\r\n\r\n",
                                std::string("HEAD / HTTP/3.0\r\nHost: test\r\n\r\n")}) {
            auto client = co_await connect(server);
            co_await client.send(bad);
            const auto refused = co_await client.receive(true);
            BOOST_TEST(refused.result_int() >= 400U);
            const bool closed = co_await client.closed();
            BOOST_TEST(closed);
        }
        // What only looks like one, in the middle of a request.
        auto other = co_await connect(server);
        co_await other.send("GET / HTTP/1.1\r\n");
        co_await settle();
        co_await other.send("HEAD x\r\n\r\n");
        const auto refused_get = co_await other.receive();
        BOOST_TEST(refused_get.body() != "");
        // The request after it is not a HEAD any more.
        auto client = co_await connect(server);
        co_await client.send(head + "Host: test\r\n\r\n");
        co_await client.receive(true);
        co_await client.send("nonsense\r\n\r\n");
        const auto refused = co_await client.receive();
        BOOST_TEST(refused.body() != "");
    });
}

BOOST_AUTO_TEST_CASE(what_is_too_long_is_refused_with_its_own_status)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        const std::string end = " HTTP/1.1\r\nHost: test\r\n";
        const std::string get = "GET /?statusCode=404" + end;
        co_await check_refused(server, get + "X: " + std::string(9000, 'x') + "\r\n\r\n",
                               status::request_header_fields_too_large);
        co_await check_refused(server, get + "X: " + std::string(20'000, 'x'), status::request_header_fields_too_large);
        co_await check_refused(server, "GET /" + std::string(5000, 'x') + end + "\r\n", status::uri_too_long);
        co_await check_refused(server, "GET /" + std::string(20'000, 'x'), status::uri_too_long);
        co_await check_refused(server, get + "Content-Length: 65537\r\n\r\n", status::payload_too_large);
        co_await check_refused(server, get + "Transfer-Encoding: chunked\r\n\r\n10001\r\n" + std::string(65'537, 'x'),
                               status::payload_too_large);
        co_await check_refused(server, get + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(30'000, 'x'),
                               status::bad_request);
    });
}

BOOST_AUTO_TEST_CASE(a_target_that_is_too_long_is_told_so_also_on_a_used_connection)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.get("/?statusCode=404");
        co_await client.send("GET /" + std::string(20'000, 'x'));
        const auto response = co_await client.receive();
        BOOST_TEST(response.result() == status::uri_too_long);
    });
}

BOOST_AUTO_TEST_CASE(what_is_just_short_enough_is_answered)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        const auto long_target = co_await client.get("/?statusCode=404&x=" + std::string(4000, 'x'));
        BOOST_TEST(long_target.result() == status::ok);
        co_await client.send("POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 65536\r\n\r\n" +
                             std::string(65'536, 'x'));
        const auto long_body = co_await client.receive();
        BOOST_TEST(long_body.result() == status::method_not_allowed);
        BOOST_TEST(long_body.keep_alive());
        co_await client.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\nX: " + std::string(8000, 'x') +
                             "\r\n\r\n");
        const auto long_head = co_await client.receive();
        BOOST_TEST(long_head.result() == status::ok);
    });
}

BOOST_AUTO_TEST_CASE(other_protocols_get_an_answer_and_a_close_and_not_silence)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        co_await check_refused(server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status::bad_request);
        co_await check_refused(server, std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11),
                               status::bad_request); // a TLS hello
        co_await check_refused(server, "SSH-2.0-OpenSSH_9.2\r\n", status::bad_request);
        for (const std::string version : {"HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0"})
            co_await check_refused(server, "GET /?statusCode=404 " + version + "\r\nHost: test\r\n\r\n",
                                   status::http_version_not_supported);
    });
}

// Byte by byte, and with nothing after them.
BOOST_AUTO_TEST_CASE(what_cannot_become_a_request_line_is_refused_without_waiting_for_more)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        using namespace std::string_literals;
        for (const auto& bytes : {"SSH-2.0-OpenSSH_9.2p1\r"s, "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r"s,
                                  "PRI * HTTP/2"s, "\x16"s, "\x03"s, "\0"s, "GET /?statusCode=404\r"s,
                                  "GET /?statusCode=404 \r"s, "GET /?statusCode=404 HTTP/1.1 "s}) {
            BOOST_TEST_CONTEXT(bytes)
            {
                auto client = co_await connect(server);
                client.socket.set_option(tcp::no_delay(true));
                for (const char byte : bytes) {
                    BOOST_TEST(client.socket.available() == 0U);
                    co_await client.send(std::string(1, byte));
                    co_await settle();
                }
                const auto response = co_await client.receive();
                BOOST_TEST(response.result() == status::bad_request);
                const bool closed = co_await client.closed();
                BOOST_TEST(closed);
            }
        }
    });
}

BOOST_AUTO_TEST_CASE(expectations_and_codings_that_are_not_met_are_refused)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        const std::string get = "GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\n";
        co_await check_refused(server, get + "Expect: a-miracle\r\n\r\n", status::expectation_failed);
        co_await check_refused(server, get + "Transfer-Encoding: gzip, chunked\r\n\r\n", status::not_implemented);
    });
}

BOOST_AUTO_TEST_CASE(a_client_that_expects_100_continue_is_told_to_continue)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send(
            "GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
        const auto go_on = co_await client.receive();
        BOOST_TEST(go_on.result() == status::continue_);
        co_await client.send("body");
        const auto response = co_await client.receive();
        BOOST_TEST(response.result() == status::ok);
    });
}

BOOST_AUTO_TEST_CASE(one_empty_line_before_a_request_is_skipped_and_a_second_is_refused)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send("\r\n" + get("404") + "\r\n");
        const auto first = co_await client.receive();
        BOOST_TEST(first.result() == status::ok);
        co_await client.send(get("200") + "\r\n" + get("201"));
        for (int i = 0; i < 2; ++i) {
            const auto pipelined = co_await client.receive();
            BOOST_TEST(pipelined.result() == status::ok);
        }
        co_await client.send(get("200") + "\r\n\r\n" + get("201"));
        for (const auto expected : {status::ok, status::bad_request}) {
            const auto response = co_await client.receive();
            BOOST_TEST(response.result() == expected);
        }
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);

        co_await check_refused(server, "\r\n\r\n" + get("404"), status::bad_request);
        co_await check_refused(server, "\r\n\r", status::bad_request);
    });
}

BOOST_AUTO_TEST_CASE(a_flood_of_empty_lines_is_refused)
{
    times.idle = 40ms;
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        while (client.socket.available() == 0) {
            co_await client.send("\r\n");
            co_await settle();
        }
        const auto response = co_await client.receive();
        BOOST_TEST(response.result() == status::bad_request);
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
    });
}

// A byte of it in each segment: the first half of the line alone is not a request either.
BOOST_AUTO_TEST_CASE(an_empty_line_does_not_keep_a_connection_from_being_idle)
{
    times.idle = 40ms;
    play([](fixture&, http::server& server, tcp::endpoint address) -> awaitable<> {
        for (const std::string line : {"\r", "\r\n"}) {
            auto client = co_await connect(address);
            for (const char byte : line) {
                co_await client.send(std::string(1, byte));
                co_await settle();
            }
            const bool closed = co_await client.closed(); // without an answer
            BOOST_TEST(closed);
        }
        auto client = co_await connect(address);
        co_await client.send("\r\n");
        co_await settle();
        server.drain();
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
    });
}

BOOST_AUTO_TEST_CASE(absolute_form_targets_are_answered)
{
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        const auto response = co_await client.get("http://example.org/?statusCode=404");
        BOOST_TEST(response.result() == status::ok);
    });
}

BOOST_AUTO_TEST_CASE(a_connection_that_stays_idle_is_closed)
{
    times.idle = 40ms;
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        const auto began = clock::now();
        auto fresh = co_await connect(server);
        auto used = co_await connect(server);
        const auto response = co_await used.get("/?statusCode=404");
        BOOST_TEST(response.result() == status::ok);
        const bool fresh_closed = co_await fresh.closed();
        const bool used_closed = co_await used.closed();
        BOOST_TEST(fresh_closed);
        BOOST_TEST(used_closed);
        BOOST_TEST((clock::now() - began >= 40ms));
    });
}

BOOST_AUTO_TEST_CASE(a_request_that_does_not_come_to_its_end_is_refused_however_slowly_it_drips)
{
    times.reading = 40ms;
    play([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send("GET /?statusCode=404 HTTP/1.1\r\nX: ");
        while (client.socket.available() == 0) {
            co_await client.send("x");
            co_await sleep(2ms);
        }
        const auto response = co_await client.receive();
        BOOST_TEST(response.result() == status::request_timeout);
        BOOST_TEST(response[field::connection] == "close");
    });
}

BOOST_AUTO_TEST_CASE(a_client_that_does_not_read_its_answers_is_reset)
{
    times.writing = 40ms;
    const auto answer_at_length = [](codes::code code, steady_timer&) -> awaitable<upstream::outcome> {
        co_return "Code " + std::string(code.text()) + std::string(60'000, 'x') + "\n";
    };
    play(answer_at_length, [](fixture& test, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        client.socket.set_option(asio::socket_base::receive_buffer_size(4096));
        std::string requests;
        for (int i = 0; i < 1000; ++i)
            requests += "GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\n\r\n";
        co_await client.send(requests);
        while (test.connections.taken() != 0)
            co_await settle();
    });
}

// Streams

// What has come on a connection and was not read yet.
std::string what_has_come(http_client& client)
{
    std::string bytes(client.socket.available(), '\0');
    bytes.resize(client.socket.read_some(asio::buffer(bytes)));
    return bytes;
}

awaitable<http_client> open_stream(tcp::endpoint server, std::string request = "GET / HTTP/1.1\r\nHost: test\r\n\r\n")
{
    auto client = co_await connect(server);
    co_await client.send(std::move(request));
    co_await settle();
    co_return client;
}

// A handler that streams, where the stories of the tests find it.
struct stream_fixture : fixture {
    static inline streaming* handler = nullptr;

    void play_streaming(story what_happens, bool keeps_connections = false)
    {
        streaming streams(keeps_connections);
        handler = &streams;
        play(streams, what_happens);
        BOOST_TEST(streams.open.empty());
    }
};

BOOST_FIXTURE_TEST_CASE(a_stream_is_sent_piece_by_piece_as_it_comes_into_being, stream_fixture)
{
    play_streaming([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await open_stream(server);
        const auto head = what_has_come(client);
        BOOST_TEST(head.starts_with("HTTP/1.1 200 OK\r\n"));
        BOOST_TEST(head.find("\r\nConnection: close\r\n") != head.npos);
        BOOST_TEST(head.find("Content-Length") == head.npos);
        BOOST_TEST(head.ends_with("\r\n\r\nfirst "));
        for (const auto* piece : {"second ", "third "}) {
            handler->say(piece);
            co_await settle();
            BOOST_TEST(what_has_come(client) == piece);
        }
        handler->say("");
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
    });
}

BOOST_FIXTURE_TEST_CASE(a_stream_lasts_longer_than_any_limit_of_the_connection, stream_fixture)
{
    times = {.idle = 40ms, .reading = 40ms, .writing = 40ms};
    play_streaming([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await open_stream(server);
        what_has_come(client);
        co_await sleep(2s);
        handler->say("still here");
        co_await settle();
        BOOST_TEST(what_has_come(client) == "still here");
    });
}

BOOST_FIXTURE_TEST_CASE(head_gets_the_head_of_a_stream_only, stream_fixture)
{
    play_streaming([](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await open_stream(server, "HEAD / HTTP/1.1\r\nHost: test\r\n\r\n");
        BOOST_TEST(what_has_come(client).ends_with("\r\n\r\n"));
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
    });
}

BOOST_FIXTURE_TEST_CASE(draining_ends_a_stream_at_once, stream_fixture)
{
    play_streaming([](fixture& test, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto client = co_await open_stream(address);
        what_has_come(client);
        server.drain();
        co_await settle();
        BOOST_TEST(handler->open.empty());
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
        client.socket.close();
        co_await settle();
        BOOST_TEST(test.connections.taken() == 0U);
    });
}

BOOST_FIXTURE_TEST_CASE(cutting_ends_a_stream_at_once, stream_fixture)
{
    play_streaming([](fixture& test, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto client = co_await open_stream(address);
        what_has_come(client);
        server.cut();
        co_await settle();
        BOOST_TEST(test.connections.taken() == 0U);
    });
}

BOOST_FIXTURE_TEST_CASE(a_stream_whose_client_is_gone_ends_although_nothing_is_to_be_sent, stream_fixture)
{
    times.idle = 40ms; // makes sweeps frequent
    play_streaming([](fixture& test, http::server&, tcp::endpoint address) -> awaitable<> {
        auto client = co_await open_stream(address);
        client.socket.close();
        co_await sleep(500ms);
        BOOST_TEST(test.connections.taken() == 0U);
    });
}

BOOST_FIXTURE_TEST_CASE(a_client_that_does_not_read_its_stream_is_reset, stream_fixture)
{
    times.writing = 40ms;
    play_streaming([](fixture& test, http::server&, tcp::endpoint address) -> awaitable<> {
        auto client = co_await open_stream(address, "GET /flood HTTP/1.1\r\nHost: test\r\n\r\n");
        while (test.connections.taken() != 0)
            co_await settle();
    });
}

BOOST_FIXTURE_TEST_CASE(a_stream_among_pipelined_requests_is_an_error, stream_fixture)
{
    constexpr bool keeps_connections = true;
    play_streaming(
        [](fixture&, http::server&, tcp::endpoint server) -> awaitable<> {
            auto client = co_await connect(server);
            co_await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
            const auto response = co_await client.receive();
            BOOST_TEST(response.result() == status::internal_server_error);
            const bool closed = co_await client.closed();
            BOOST_TEST(closed);
        },
        keeps_connections);
}

BOOST_AUTO_TEST_CASE(a_running_server_takes_another_limit_for_idle_connections)
{
    times.idle = 1h;
    play([](fixture&, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto client = co_await connect(address);
        const auto response = co_await client.get("/?statusCode=404");
        BOOST_TEST(response.result() == status::ok);
        const auto began = clock::now();
        server.apply({.idle = 40ms});
        const bool closed = co_await client.closed();
        BOOST_TEST(closed);
        BOOST_TEST((clock::now() - began < 1s));
    });
}

BOOST_AUTO_TEST_CASE(a_running_server_takes_another_limit_for_clients_that_do_not_read)
{
    times.writing = 1h;
    const auto answer_at_length = [](codes::code code, steady_timer&) -> awaitable<upstream::outcome> {
        co_return "Code " + std::string(code.text()) + std::string(60'000, 'x') + "\n";
    };
    play(answer_at_length, [](fixture& test, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto client = co_await connect(address);
        client.socket.set_option(asio::socket_base::receive_buffer_size(4096));
        std::string requests;
        for (int i = 0; i < 1000; ++i)
            requests += get("404");
        co_await client.send(requests);
        server.apply({.writing = 40ms});
        while (test.connections.taken() != 0)
            co_await settle();
    });
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_away_while_it_waits_frees_its_place_before_its_deadline)
{
    times.idle = 40ms; // makes sweeps frequent
    play_held([](fixture& test, http::server&, tcp::endpoint address) -> awaitable<> {
        const auto began = clock::now();
        auto client = co_await connect(address);
        co_await client.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\n\r\nGET /?statusCode=200");
        co_await test.held.asked(1);
        client.socket.close();
        co_await test.held.given_up();
        while (test.connections.taken() != 0)
            co_await settle();
        BOOST_TEST((clock::now() - began < patience));
    });
}

// So however many there are, the loop soon returns to other work.
BOOST_AUTO_TEST_CASE(a_sweep_looks_at_few_sessions_in_one_turn_of_the_event_loop)
{
    service::raise_file_limit();
    times.idle = 40ms; // makes sweeps frequent
    play_held([](fixture& test, http::server&, tcp::endpoint address) -> awaitable<> {
        constexpr std::size_t count = 2 * http::most_swept_in_a_turn + 100;
        std::list<http_client> clients;
        while (clients.size() != count) {
            clients.push_back(co_await connect(address));
            co_await clients.back().send(get("404"));
        }
        co_await test.held.asked(count);

        clients.clear(); // in one turn
        std::size_t most = 0;
        for (std::size_t ended = 0; ended != count;) {
            co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
            const auto ended_before = std::exchange(ended, test.held.ended());
            most = std::max(most, ended - ended_before);
        }
        BOOST_TEST(most <= http::most_swept_in_a_turn);
    });
}

// A busy event loop would otherwise need as many turns as there are newcomers, and they would time out.
BOOST_AUTO_TEST_CASE(clients_that_come_together_are_accepted_in_a_few_turns_of_the_event_loop)
{
    play([](fixture& test, http::server&, tcp::endpoint address) -> awaitable<> {
        constexpr std::size_t count = 5 * http::most_accepted_in_a_turn + 1;
        std::list<http_client> clients;
        while (clients.size() != count) {
            clients.emplace_back(co_await asio::this_coro::executor);
            clients.back().socket.open(tcp::v4());
            clients.back().socket.connect(address); // by the kernel: the server has no turn meanwhile
        }

        std::size_t turns = 0;
        std::size_t most = 0;
        for (std::size_t accepted = 0; accepted != count; ++turns) {
            co_await asio::post(co_await asio::this_coro::executor, asio::deferred);
            const auto accepted_before = std::exchange(accepted, test.connections.taken());
            most = std::max(most, accepted - accepted_before);
        }
        BOOST_TEST(most == http::most_accepted_in_a_turn);
        BOOST_TEST(turns < 12U);
    });
}

BOOST_AUTO_TEST_CASE(draining_answers_clients_in_the_listen_queue_and_the_next_request_of_a_connection_in_use)
{
    play([](fixture&, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto used = co_await connect(address);
        const auto first = co_await used.get("/?statusCode=404");
        BOOST_TEST(first.keep_alive());
        http_client queued(co_await asio::this_coro::executor);
        error_code error;
        queued.socket.open(tcp::v4());
        queued.socket.connect(address, error); // at once, so that the server has not accepted it yet
        BOOST_TEST(!error);

        server.drain();
        for (auto* client : {&queued, &used}) {
            const auto last = co_await client->get("/?statusCode=404");
            BOOST_TEST(last.result() == status::ok);
            BOOST_TEST(last[field::connection] == "close");
            const bool closed = co_await client->closed();
            BOOST_TEST(closed);
        }
    });
}

BOOST_AUTO_TEST_CASE(draining_answers_also_those_for_whom_there_is_no_place_yet)
{
    net::limit one(1);
    lookup handler(answer_at_once);
    http::server server(net::listen(io, {asio::ip::address_v4::loopback(), 0}, net::port_sharing::never), handler,
                        times, one);
    const auto address = server.endpoint();
    asio::co_spawn(io, server.run(), [](const std::exception_ptr& thrown) { BOOST_TEST(!thrown); });
    run(io, [](http::server& limited, tcp::endpoint place) -> awaitable<> {
        auto first = co_await connect(place);
        co_await first.get("/?statusCode=404");
        auto second = co_await connect(place); // by the kernel, as the next
        auto third = co_await connect(place);
        for (auto* client : {&second, &third})
            co_await client->send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\n\r\n");

        limited.drain();
        const auto last = co_await first.get("/?statusCode=404");
        BOOST_TEST(last[field::connection] == "close");
        for (auto* client : {&first, &second}) {
            client->socket.close();
            auto& next = client == &first ? second : third;
            const auto answered = co_await next.receive();
            BOOST_TEST(answered.result() == status::ok);
        }
    }(server, address));
}

BOOST_AUTO_TEST_CASE(a_newcomer_is_refused_at_once_while_it_drains)
{
    play([](fixture&, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto in_use = co_await connect(address);
        co_await in_use.get("/?statusCode=404");
        server.refuse_newcomers();
        server.drain();

        const auto began = clock::now();
        http_client late(co_await asio::this_coro::executor);
        const auto [error] = co_await late.socket.async_connect(address, as_result);
        BOOST_TEST(error == asio::error::connection_refused);
        BOOST_TEST((clock::now() - began < 1s)); // TCP did not have to retry
    });
}

BOOST_AUTO_TEST_CASE(a_newcomer_is_answered_at_once_while_it_drains_if_it_may_come_still)
{
    play([](fixture&, http::server& server, tcp::endpoint address) -> awaitable<> {
        server.drain();

        const auto began = clock::now();
        auto late = co_await connect(address);
        const auto response = co_await late.get("/?statusCode=404");
        BOOST_TEST(response.result() == status::ok);
        BOOST_TEST(response[field::connection] == "close");
        BOOST_TEST((clock::now() - began < 1s));
        const bool closed = co_await late.closed();
        BOOST_TEST(closed);
    });
}

BOOST_AUTO_TEST_CASE(newcomers_that_were_dealt_to_the_wrong_socket_while_it_drains_find_the_other_one)
{
    lookup handler(answer_at_once);
    http::server server(net::listen(io, {asio::ip::address_v4::loopback(), 0}, net::port_sharing::from_start), handler,
                        times, connections);
    auto other = net::listen(io, server.endpoint(), net::port_sharing::from_start);
    asio::co_spawn(io, server.run(), [](const std::exception_ptr& thrown) { BOOST_TEST(!thrown); });
    run(io, [](http::server& leaving, tcp_acceptor& staying) -> awaitable<> {
        leaving.drain({.first = 0, .count = 1}); // its own
        const auto began = clock::now();
        tcp_socket found(co_await asio::this_coro::executor);
        error_code error = asio::error::would_block;
        while (error) {
            const auto client = co_await connect(staying.local_endpoint());
            staying.accept(found, error);
        }
        BOOST_TEST((clock::now() - began < 1s)); // before it would have closed, and TCP did not have to retry
    }(server, other));
}

BOOST_AUTO_TEST_CASE(a_client_that_hangs_up_in_the_middle_of_a_request_disturbs_nobody)
{
    play([](fixture& test, http::server&, tcp::endpoint server) -> awaitable<> {
        auto client = co_await connect(server);
        co_await client.send("GET /?statusC");
        client.socket.close();
        while (test.connections.taken() != 0)
            co_await settle();
    });
}

BOOST_AUTO_TEST_CASE(draining_closes_idle_connections_and_answers_requests_under_way)
{
    play_held([](fixture& test, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto idle = co_await connect(address);
        auto used = co_await connect(address);
        auto busy = co_await connect(address);
        co_await used.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        const auto answered = co_await used.receive();
        BOOST_TEST(answered.keep_alive());
        co_await busy.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\n\r\n");
        co_await test.held.asked(1);

        server.drain();
        const bool idle_closed = co_await idle.closed();
        const bool used_closed = co_await used.closed();
        BOOST_TEST(idle_closed);
        BOOST_TEST(used_closed);
        http_client late(co_await asio::this_coro::executor);
        const auto [refused] = co_await late.socket.async_connect(address, as_result);
        BOOST_TEST(refused == asio::error::connection_refused);

        test.held.answer(0, reply_line("404"));
        const auto response = co_await busy.receive();
        BOOST_TEST(response.result() == status::ok);
        BOOST_TEST(response[field::connection] == "close");
        const bool busy_closed = co_await busy.closed();
        BOOST_TEST(busy_closed);
    });
}

BOOST_AUTO_TEST_CASE(however_long_a_sweep_takes_a_connection_that_has_just_been_used_stays_for_an_interval)
{
    times = {.idle = 4ms, .reading = 1h, .writing = 1h}; // a sweep each millisecond
    lookup handler([this](codes::code code, steady_timer& deadline) { return held.ask(code, deadline); });
    http::server server(net::listen(io, {asio::ip::address_v4::loopback(), 0}, net::port_sharing::never), handler,
                        times, connections);
    interrupted_sweep recorder(io);
    server.record_accesses(&recorder);
    const auto address = server.endpoint();
    asio::co_spawn(io, server.run(), [](const std::exception_ptr& thrown) { BOOST_TEST(!thrown); });
    run(io, [](fixture& test, http::server& slow, interrupted_sweep& sweeps, tcp::endpoint place) -> awaitable<> {
        std::list<http_client> busy;
        for (std::size_t i = 0; i != http::most_swept_in_a_turn; ++i) {
            busy.push_back(co_await connect(place));
            co_await busy.back().send(get("404"));
        }
        auto swept_last = co_await connect(place);
        co_await swept_last.send(get("404"));
        co_await test.held.asked(busy.size() + 1);
        sweeps.in_the_middle_of_the_next([&] { test.held.answer(busy.size(), reply_line("404")); });

        const auto answer = co_await swept_last.receive();
        BOOST_TEST(answer.keep_alive());
        slow.drain();
        const auto began = clock::now();
        const bool closed = co_await swept_last.closed();
        BOOST_TEST(closed);
        BOOST_TEST((clock::now() - began >= 1ms));
        test.held.answer_all(upstream::failure::unavailable);
    }(*this, server, recorder, address));
}

BOOST_AUTO_TEST_CASE(while_it_drains_a_request_has_two_seconds_to_come_to_its_end)
{
    play([](fixture&, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto half = co_await connect(address);
        co_await half.send("GET /?sta");
        co_await settle();

        const auto began = clock::now();
        server.drain();
        const auto response = co_await half.receive();
        const auto took = clock::now() - began;
        BOOST_TEST(response.result() == status::request_timeout);
        BOOST_TEST(response[field::connection] == "close");
        BOOST_TEST((took >= 1900ms)); // a sweep may come at once
        BOOST_TEST((took <= 2s + http::longest_sweep_interval));
    });
}

BOOST_AUTO_TEST_CASE(cutting_ends_everything_at_once_and_tells_how_many_requests_were_under_way)
{
    play_held([](fixture& test, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto idle = co_await connect(address);
        auto busy = co_await connect(address);
        auto half = co_await connect(address);
        co_await busy.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\n\r\n");
        co_await half.send("GET /?sta");
        co_await test.held.asked(1);
        co_await settle();

        BOOST_TEST(server.cut() == 2U);
        test.held.answer(0, upstream::failure::unavailable);
        const bool idle_closed = co_await idle.closed();
        BOOST_TEST(idle_closed);
    });
}

BOOST_AUTO_TEST_CASE(cutting_counts_pipelined_requests_each_by_itself)
{
    play_held([](fixture& test, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto pipelining = co_await connect(address);
        auto single = co_await connect(address);
        co_await pipelining.send(get("101") + get("102") + get("103") + get("104"));
        co_await single.send(get("105"));
        co_await test.held.asked(5);
        test.held.answer(0, reply_line("101"));
        test.held.answer(2, reply_line("103")); // not to be sent before that to 102
        const auto first = co_await pipelining.receive();
        BOOST_TEST(first.result() == status::ok);
        co_await settle();

        BOOST_TEST(server.cut() == 4U);
        test.held.answer_all(upstream::failure::unavailable);
    });
}

BOOST_AUTO_TEST_CASE(cutting_counts_answers_that_have_not_left)
{
    const auto answer_at_length = [](codes::code, steady_timer&) -> awaitable<upstream::outcome> {
        co_return std::string(8'000'000, 'x');
    };
    play(answer_at_length, [](fixture&, http::server& server, tcp::endpoint address) -> awaitable<> {
        auto slow = co_await connect(address);
        co_await slow.send(get("101"));
        co_await slow.socket.async_wait(tcp_socket::wait_read, asio::deferred);
        co_await settle();

        BOOST_TEST(server.cut() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(above_the_limit_of_connections_further_ones_wait_until_one_closes)
{
    net::limit one(1);
    lookup handler(answer_at_once);
    http::server server(net::listen(io, {asio::ip::address_v4::loopback(), 0}, net::port_sharing::never), handler,
                        times, one);
    const auto address = server.endpoint();
    asio::co_spawn(io, server.run(), [](const std::exception_ptr& thrown) { BOOST_TEST(!thrown); });
    run(io, [](http::server& limited, tcp::endpoint place) -> awaitable<> {
        auto first = co_await connect(place);
        const auto answered = co_await first.get("/?statusCode=404");
        BOOST_TEST(answered.result() == status::ok);
        auto second = co_await connect(place); // by the kernel
        co_await second.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\n\r\n");
        co_await settle();
        BOOST_TEST(second.socket.available() == 0U);

        first.socket.close();
        const auto served = co_await second.receive();
        BOOST_TEST(served.result() == status::ok);
        limited.drain();
    }(server, address));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
