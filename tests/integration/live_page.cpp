// The live page of a running bridge: its files, for whom they are, what it is told, and what it may ask.
#include "blocking.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "process.hpp"
#include "scrape.hpp"
#include "service/live_feed.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace causeway::test {
namespace {

namespace json = boost::json;

// What is answered to a request for `path` with these fields, each with its CRLF, and `body`.
std::string request_to(std::string_view method, std::string_view path, std::string_view fields, std::string_view body)
{
    return fmt::format("{} {} HTTP/1.1\r\nContent-Length: {}\r\n{}\r\n{}", method, path, body.size(), fields, body);
}

http_answer answer_to(std::uint16_t port, std::string_view method, std::string_view path, std::string_view fields,
                      std::string_view body = {})
{
    connection client(port);
    client.send(request_to(method, path, fields, body));
    return receive_answer(client);
}

const std::string own_name = "Host: localhost\r\n";
const std::string json_content = "Content-Type: application/json\r\n";

http_answer page(std::uint16_t port, std::string_view path, const std::string& fields = own_name)
{
    return answer_to(port, "GET", path, fields);
}

http_answer ask(std::uint16_t port, std::string_view body, const std::string& fields = own_name + json_content)
{
    return answer_to(port, "POST", "/live/ask", fields, body);
}

bool has_field(const http_answer& answer, std::string_view name_and_value)
{
    return answer.head.find(fmt::format("\r\n{}\r\n", name_and_value)) != std::string::npos;
}

// A page that watches.
class watcher {
public:
    explicit watcher(std::uint16_t admin_port)
        : connection_(admin_port)
    {
        connection_.send("GET /live/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        for (auto line = connection_.receive_line(); line != "\r\n"; line = connection_.receive_line())
            head_ += line;
        BOOST_TEST_REQUIRE(head_.starts_with("HTTP/1.1 200 OK\r\n"), head_);
    }

    const std::string& head() const { return head_; }

    // The data of the next event of this name; others are skipped.
    json::object next(std::string_view name)
    {
        for (const auto latest = clock::now() + patience; clock::now() < latest;) {
            const auto event = connection_.receive_line();
            if (event.empty())
                throw std::runtime_error("the stream has ended");
            const auto data = connection_.receive_line();
            BOOST_TEST_REQUIRE(connection_.receive_line() == "\n");
            if (event == fmt::format("event: {}\n", name))
                return json::parse(std::string_view(data).substr(6)).as_object();
        }
        throw std::runtime_error(fmt::format("no event {}", name));
    }

    // The next request, or happening on a wire, for which `text` stands at `name`. Throws when there is none in time.
    json::object next(std::string_view list, std::string_view name, std::string_view text)
    {
        for (const auto latest = clock::now() + patience;;) {
            while (happened_.empty()) {
                if (clock::now() > latest)
                    throw std::runtime_error(fmt::format("no {} with {} {}", list, name, text));
                const auto news = next("happened");
                for (const auto& happened : news.at(list).as_array())
                    happened_.push_back(happened.as_object());
            }
            auto first = std::move(happened_.front());
            happened_.pop_front();
            const auto* value = first.if_contains(name);
            if (value != nullptr && value->as_string() == text)
                return first;
        }
    }

    std::string rest() { return connection_.receive_rest(); }

private:
    connection connection_;
    std::string head_;
    std::deque<json::object> happened_;
};

// A bridge on one thread, in front of a backend that the test plays.
struct fixture {
    explicit fixture(const words& options = {})
        : causeway(in_front_of({backend.address()}, with_admin_pages(options)))
        , upstream(backend.accept())
        , admin(causeway.admin_port())
    {
    }

    static words with_admin_pages(words options)
    {
        options.insert(options.end(), {"--threads=1", "--admin=127.0.0.1:0"});
        return options;
    }

    // One that is answered.
    void request(std::string_view code)
    {
        connection client(causeway.port());
        send_request(client, code);
        BOOST_TEST(upstream.receive_line() == fmt::format("{}\n", code));
        upstream.send(fmt::format("Code {}: of the test\n", code));
        BOOST_TEST(receive_answer(client).status == 200);
    }

    listener backend;
    causeway_process causeway;
    connection upstream;
    std::uint16_t admin;
};

} // namespace

BOOST_AUTO_TEST_SUITE(live_page)

// Its files

BOOST_FIXTURE_TEST_CASE(the_page_and_its_files_come_with_what_a_browser_is_to_hold_them_to, fixture)
{
    for (const auto& [path, type] :
         {std::pair("/", "text/html; charset=utf-8"), std::pair("/live/page.js", "text/javascript; charset=utf-8"),
          std::pair("/live/page.css", "text/css; charset=utf-8")}) {
        const auto file = page(admin, path);
        BOOST_TEST(file.status == 200);
        BOOST_TEST(!file.body.empty());
        BOOST_TEST(has_field(file, fmt::format("Content-Type: {}", type)), file.head);
        BOOST_TEST(has_field(file, "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
                                   "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
                                   "frame-ancestors 'none'"),
                   file.head);
        BOOST_TEST(has_field(file, "X-Content-Type-Options: nosniff"));
        BOOST_TEST(has_field(file, "Referrer-Policy: no-referrer"));
        BOOST_TEST(has_field(file, "Cache-Control: no-store"));
    }
    BOOST_TEST(page(admin, "/").body.find("<!doctype html>") == 0U);
    BOOST_TEST(page(admin, "/live/nothing").status == 404);
    BOOST_TEST(answer_to(admin, "POST", "/", own_name).status == 405);
    BOOST_TEST(page(causeway.port(), "/live/page.js").status == 404); // the clients' port has none of it
}

BOOST_FIXTURE_TEST_CASE(the_page_is_only_there_by_an_address_or_a_name_of_this_machine, fixture)
{
    for (const auto* host : {"localhost", "LOCALHOST:8091", "127.0.0.1", "10.1.2.3:1", "[::1]:8091"})
        BOOST_TEST(page(admin, "/", fmt::format("Host: {}\r\n", host)).status == 200, host);
    for (const auto* host : {"evil.example", "localhost.evil.example:8091", "127.0.0.1.evil.example", ""})
        for (const auto* path : {"/", "/live/page.js", "/live/events", "/live/ask", "/live/nothing"})
            BOOST_TEST(page(admin, path, fmt::format("Host: {}\r\n", host)).status == 403, host << path);
    BOOST_TEST(page(admin, "/healthz", "Host: bridge-1.example\r\n").status == 200); // for a balancer as ever
}

BOOST_FIXTURE_TEST_CASE(another_sites_page_neither_watches_nor_asks, fixture)
{
    const words of_others{"Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n",
                          "Origin: https://evil.example\r\n", "Origin: null\r\n", "Origin: http://localhost:1\r\n"};
    for (const auto& field : of_others) {
        BOOST_TEST(page(admin, "/live/events", own_name + field).status == 403, field);
        BOOST_TEST(ask(admin, R"({"code":"404"})", own_name + json_content + field).status == 403, field);
    }
    BOOST_TEST(!upstream.can_receive());
    BOOST_TEST(page(admin, "/", own_name + of_others.front()).status == 200); // a user who follows a link may see it
}

// Its events

BOOST_FIXTURE_TEST_CASE(a_watcher_hears_what_the_bridge_is_and_how_it_is, fixture)
{
    watcher events(admin);
    BOOST_TEST(events.head().find("\r\nContent-Type: text/event-stream\r\n") != std::string::npos);
    BOOST_TEST(events.head().find("\r\nContent-Security-Policy: default-src 'none'; ") != std::string::npos);
    const auto hello = events.next("hello");
    BOOST_TEST(hello.at("protocol").as_string() == "codes");
    BOOST_TEST(hello.at("loops").as_int64() == 1);
    BOOST_TEST(hello.at("window").as_int64() == 1024);
    BOOST_TEST(hello.at("can_ask").as_bool());
    BOOST_TEST(hello.at("upstreams").as_array().at(0).as_string() == backend.address());
    const auto first = events.next("state");
    const auto second = events.next("state");
    BOOST_TEST(second.at("now").as_int64() > first.at("now").as_int64());
    BOOST_TEST(second.at("upstreams").as_array().at(0).at("connected").as_int64() == 1);
}

BOOST_FIXTURE_TEST_CASE(a_watcher_hears_of_a_request_with_its_times_in_their_order, fixture)
{
    watcher events(admin);
    events.next("state");
    events.next("state"); // so the loop watches
    request("404");
    const auto seen = events.next("requests", "key", "404");
    BOOST_TEST(seen.at("status").as_int64() == 200);
    BOOST_TEST(seen.at("outcome").as_string() == "reply");
    BOOST_TEST(seen.at("upstream").as_int64() == 0);
    std::int64_t before = 0;
    for (const auto* step : {"began", "read", "queued", "written", "matched", "answered"}) {
        const auto time = seen.at(step).as_int64();
        BOOST_TEST(time >= before, step);
        before = time;
    }
    BOOST_TEST(!seen.contains("asked_here"));
}

BOOST_AUTO_TEST_CASE(a_watcher_hears_of_timeouts_late_replies_and_lost_connections)
{
    fixture test({"--reply-timeout=50ms", "--reconnect-max=50ms"});
    watcher events(test.admin);
    events.next("state");
    events.next("state");
    connection client(test.causeway.port());
    send_request(client, "404");
    BOOST_TEST(test.upstream.receive_line() == "404\n");
    BOOST_TEST(receive_answer(client).status == 504);
    const auto seen = events.next("requests", "outcome", "timed_out");
    BOOST_TEST(!seen.contains("matched"));
    BOOST_TEST(seen.contains("written"));
    test.upstream.send("Code 404: too late\n");
    const auto late = events.next("wires", "what", "late reply");
    BOOST_TEST(late.at("key").as_string() == "404");
    test.upstream.close();
    const auto lost = events.next("wires", "what", "lost");
    BOOST_TEST(lost.at("reason").as_string() == "closed by the upstream");
    const auto back = test.backend.accept();
    const auto connected = events.next("wires", "what", "connected");
    BOOST_TEST(connected.at("at").as_int64() >= lost.at("at").as_int64());
}

BOOST_FIXTURE_TEST_CASE(all_watchers_hear_the_same_and_there_are_no_more_than_places_for_them, fixture)
{
    std::deque<watcher> events;
    while (events.size() != service::live_feed::most_watchers)
        events.emplace_back(admin);
    const auto one_too_many = page(admin, "/live/events");
    BOOST_TEST(one_too_many.status == 503);
    BOOST_TEST(has_field(one_too_many, "Retry-After: 1"));
    for (auto& watcher : events) {
        watcher.next("hello");
        watcher.next("state");
    }
    request("404");
    for (auto& watcher : events)
        BOOST_TEST(watcher.next("requests", "key", "404").at("status").as_int64() == 200);

    events.pop_front();
    wait_until([&] {
        connection next(admin);
        next.send("GET /live/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        return next.receive_line().find(" 200 ") != std::string::npos;
    });
}

BOOST_FIXTURE_TEST_CASE(no_watcher_holds_up_a_stop, fixture)
{
    watcher events(admin);
    events.next("state");
    const auto began = clock::now();
    causeway.signal(SIGTERM);
    BOOST_TEST(causeway.wait() == 0);
    // The loops take a moment to see that nobody comes any more.
    BOOST_TEST((clock::now() - began < 1s + scheduling));
    events.rest(); // ends, without a reset
}

BOOST_AUTO_TEST_CASE(with_an_access_log_each_request_is_in_it_and_has_its_id_on_the_page)
{
    fixture test({"--access-log=-"});
    watcher events(test.admin);
    events.next("state");
    events.next("state");
    connection client(test.causeway.port());
    client.send("GET /?statusCode=404 HTTP/1.1\r\nHost: test\r\nX-Request-Id: mine\r\n\r\n");
    test.upstream.receive_line();
    test.upstream.send("Code 404: of the test\n");
    BOOST_TEST(receive_answer(client).status == 200);
    BOOST_TEST(events.next("requests", "id", "mine").at("key").as_string() == "404");
    test.causeway.wait_for_line(" mine \"GET");
}

// Its question

BOOST_FIXTURE_TEST_CASE(a_code_that_is_asked_on_the_page_is_a_request_like_any_other_and_is_seen_on_its_way, fixture)
{
    watcher events(admin);
    events.next("state");
    std::jthread backend_answers([this] {
        upstream.receive_line();
        upstream.send("Code 404: of the test\n");
    });
    const auto answer = ask(admin, R"({"code":"404"})");
    BOOST_TEST(answer.status == 200);
    BOOST_TEST(has_field(answer, "Content-Type: application/json"));
    const auto told = json::parse(answer.body).as_object();
    BOOST_TEST(told.at("status").as_int64() == 200);
    BOOST_TEST(told.at("body").as_string() == R"({"data":"Code 404: of the test\n"})");
    const auto seen = events.next("requests", "id", told.at("id").as_string());
    BOOST_TEST(seen.at("asked_here").as_bool());
    BOOST_TEST(seen.at("key").as_string() == "404");
}

BOOST_FIXTURE_TEST_CASE(what_is_no_code_is_for_the_bridge_to_say_and_gets_nowhere, fixture)
{
    const auto told = json::parse(ask(admin, R"({"code":"4 4&x=/"})").body).as_object();
    BOOST_TEST(told.at("status").as_int64() == 400);
    BOOST_TEST(!upstream.can_receive());
}

BOOST_FIXTURE_TEST_CASE(what_is_no_question_is_refused, fixture)
{
    for (const auto* body : {"", "404", "{}", R"({"code":404})", R"(["404"])", R"({"code":"404")"})
        BOOST_TEST(ask(admin, body).status == 400, body);
    BOOST_TEST(ask(admin, std::string(R"({"code":")").append(65, '4').append(R"("})")).status == 400);
    for (const auto* type : {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n"})
        BOOST_TEST(ask(admin, R"({"code":"404"})", own_name + type).status == 415, type);
    BOOST_TEST(page(admin, "/live/ask").status == 405);
    BOOST_TEST(!upstream.can_receive());
}

BOOST_AUTO_TEST_CASE(a_question_ends_when_the_bridge_says_that_no_reply_came)
{
    fixture test({"--reply-timeout=50ms"});
    const auto told = json::parse(ask(test.admin, R"({"code":"404"})").body).as_object();
    BOOST_TEST(told.at("status").as_int64() == 504);
    BOOST_TEST(told.at("body").as_string() == R"({"error":"timedout"})");
}

BOOST_AUTO_TEST_CASE(a_payment_cannot_be_made_on_the_page)
{
    fixture test({"--protocol=iso8583"});
    BOOST_TEST(ask(test.admin, R"({"code":"404"})").status == 404);
    watcher events(test.admin);
    const auto hello = events.next("hello");
    BOOST_TEST(hello.at("protocol").as_string() == "iso8583");
    BOOST_TEST(!hello.at("can_ask").as_bool());
}

// A backend that keeps silent, or a bridge that is full, must not make the admin pages look dead.
BOOST_FIXTURE_TEST_CASE(questions_that_wait_leave_places_for_the_other_pages, fixture)
{
    std::deque<connection> asking;
    while (asking.size() != service::live_feed::most_questions) {
        asking.emplace_back(admin).send(request_to("POST", "/live/ask", own_name + json_content, R"({"code":"404"})"));
        upstream.receive_line();
    }
    const auto one_too_many = ask(admin, R"({"code":"404"})");
    BOOST_TEST(one_too_many.status == 503);
    BOOST_TEST(has_field(one_too_many, "Retry-After: 1"));
    BOOST_TEST(page(admin, "/healthz").status == 200);

    for (std::size_t question = 0; question != asking.size(); ++question)
        upstream.send("Code 404: of the test\n");
    for (auto& each : asking)
        BOOST_TEST(receive_answer(each).status == 200);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
