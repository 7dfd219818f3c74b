// The scenes that the live page plays: recorded from the engine, in its own time, and what it would do today.
//
//     CAUSEWAY_WRITE_SCENES=1 build/release/tests/integration/causeway_virtual_time_tests --run_test=scenes
//
// writes them anew; without that, a scene that the engine would not play so any more is an error.
#include "admin/live_events.hpp"
#include "http/server.hpp"
#include "kit.hpp"
#include "load.hpp"
#include "service/code_lookup.hpp"
#include "service/sampler.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace causeway::test {
namespace {

namespace json = boost::json;

std::string file_of(std::string_view scene)
{
    return fmt::format("{}/source/admin/page/scenes/{}.json", CAUSEWAY_PROJECT_DIR, scene);
}

bool is_time(std::string_view name)
{
    constexpr auto times =
        std::to_array<std::string_view>({"now", "at", "began", "read", "queued", "written", "matched", "answered"});
    return std::ranges::find(times, name) != times.end();
}

// The same, except for a tick or two of the clock in each time.
bool is_like(const json::value& one, const json::value& other, std::string_view name = {})
{
    constexpr std::int64_t tolerance = 3000; // microseconds
    if (one.kind() != other.kind())
        return false;
    if (const auto* object = one.if_object())
        return object->size() == other.as_object().size() && std::ranges::all_of(*object, [&](const auto& member) {
                   const auto* counterpart = other.as_object().if_contains(member.key());
                   return counterpart != nullptr && is_like(member.value(), *counterpart, member.key());
               });
    if (const auto* array = one.if_array())
        return std::ranges::equal(*array, other.as_array(),
                                  [](const auto& left, const auto& right) { return is_like(left, right); });
    return is_time(name) ? std::abs(one.as_int64() - other.as_int64()) <= tolerance : one == other;
}

// The engine of an event loop, with a backend that the story plays and what a live page would be told of it.
class stage {
public:
    using story = awaitable<> (*)(stage&);

    std::chrono::nanoseconds reply_timeout = 2s;
    std::size_t window = 1024;
    bool coalesce = false;

    // Plays `what_happens`, and holds it against the file of the scene, or writes that.
    void play(std::string_view scene, story what_happens)
    {
        open_backend();
        auto settings = settings_for({address_});
        settings.reply_timeout = reply_timeout;
        settings.reconnect_max = 1ms; // so chance has no say
        settings.window = window;
        settings.coalesce = coalesce;
        pool_.emplace(io_, settings, pending_);
        lookup_.emplace(*pool_);
        server_.emplace(net::listen(io_, {asio::ip::address_v4::loopback(), 0}, net::port_sharing::never), *lookup_,
                        http::time_limits{}, connections_);
        pool_->observe(&sampler_);
        server_->record_accesses(&sampler_);
        real_.emplace(admin::facts{.version = {}, .upstreams = {net::to_string(address_)}}, began_);
        asio::co_spawn(io_, server_->run(), [](const std::exception_ptr& thrown) { BOOST_TEST(!thrown); });
        pool_->start();
        run(io_, tell(*this, what_happens));
        keep(scene);
    }

    // A client that asks for `code`, when it comes to be awaited.
    awaitable<> ask(std::string code)
    {
        co_await clients_.emplace_back(io_.get_executor()).connect(server_->endpoint());
        co_await clients_.back().send("GET /?statusCode=" + code + " HTTP/1.1\r\nHost: test\r\n\r\n");
        co_await settle();
    }

    // The next of them that has no answer yet gets one with this status.
    awaitable<> expect(unsigned status)
    {
        const auto response = co_await clients_.front().receive();
        BOOST_TEST(response.result_int() == status);
        clients_.pop_front();
    }

    awaitable<> reply(std::string code) { return backend_peer_->reply(code); }

    // Replies so late that the deadline passes before anybody has looked: in the same turn of the event loop. It is one
    // millisecond before that deadline now.
    void reply_in_the_turn_of_the_deadline(std::string code)
    {
        asio::post(io_, [this, code = std::move(code)] {
            asio::post(io_, [this, code] { backend_peer_->socket.write_some(asio::buffer(reply_line(code))); });
            for (int i = 0; i != 1000; ++i) // a millisecond's worth; see virtual_time.cpp
                asio::post(io_, [] {});
        });
    }

    void stop_backend() { backends_.back().stop(); }
    void open_backend()
    {
        backends_.emplace_back(
            io_, [this](peer& peer) { return listen_to(*this, peer); }, address_.port);
        address_ = backends_.back().address();
    }

    // The codes that have come to the backend.
    std::vector<std::string> asked;

    // What the page would be told of requests by now.
    std::vector<admin::sampled_request> seen;

private:
    static awaitable<> listen_to(stage& stage, peer& peer)
    {
        stage.backend_peer_ = &peer;
        for (auto code = co_await peer.read_code(); !code.empty(); code = co_await peer.read_code())
            stage.asked.push_back(code);
    }

    static awaitable<> tell(stage& stage, story what_happens)
    {
        const admin::live_event_writer shown(
            {.version = "a scene", .upstreams = {"127.0.0.1:9670"}, .protocol = "codes", .coalesces = stage.coalesce},
            stage.began_);
        stage.events_.push_back(shown.hello(stage.report(), clock::now()));
        bool ended = false;
        asio::co_spawn(stage.io_, stage.look(ended), [](const std::exception_ptr& thrown) { BOOST_TEST(!thrown); });
        co_await settle();
        co_await what_happens(stage);
        co_await sleep(600ms); // so the last of it is told, too
        ended = true;
        stage.server_->drain();
        co_await sleep(3s);
        stage.pool_->stop();
        for (auto& backend : stage.backends_)
            co_await backend.end();
    }

    awaitable<> look(const bool& ended)
    {
        while (!ended) {
            admin::happenings happenings;
            sampler_.take(happenings);
            std::ranges::copy(happenings.requests, std::back_inserter(seen));
            if (!happenings.requests.empty() || !happenings.wires.empty())
                events_.push_back(real_->happened(happenings, 0));
            events_.push_back(real_->state(report(), clock::now()));
            co_await sleep(250ms);
        }
    }

    admin::report report() const
    {
        admin::report report;
        report.sum = {server_->counts(), pool_->figures(), 0};
        report.loops = report.loops_responding = 1;
        report.connections = connections_.taken();
        report.waiting_limit = pending_.bound();
        report.upstream_window = window;
        report.reply_timeout = reply_timeout;
        return report;
    }

    void keep(std::string_view scene)
    {
        json::array events;
        std::string text;
        for (const auto& [name, data] : events_) {
            events.push_back(json::object{{"event", name}, {"data", data}});
            text += fmt::format("{}{}", text.empty() ? "[\n" : ",\n", json::serialize(events.back()));
        }
        if (std::getenv("CAUSEWAY_WRITE_SCENES") != nullptr) {
            std::ofstream(file_of(scene)) << text << "\n]\n";
            return;
        }
        std::ifstream file(file_of(scene));
        const std::string kept(std::istreambuf_iterator<char>(file), {});
        BOOST_TEST_REQUIRE(!kept.empty(), "no such scene");
        // As it is read, a number has the type that it has in the file.
        BOOST_TEST(is_like(json::parse(kept), json::parse(text + "]")), "the engine plays another scene now:\n"
                                                                            << text);
    }

    asio::io_context io_;
    net::limit pending_{100};
    net::limit connections_{100};
    service::sampler sampler_;
    std::list<backend_double> backends_;
    net::host_port address_;
    peer* backend_peer_ = nullptr; // the last that has connected
    std::optional<upstream::pool> pool_;
    std::optional<service::code_lookup> lookup_;
    std::optional<http::server> server_;
    std::list<http_client> clients_;
    const clock::time_point began_ = clock::now();
    std::optional<admin::live_event_writer> real_;
    std::vector<admin::live_event> events_;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(scenes, stage)

BOOST_AUTO_TEST_CASE(a_late_reply_is_for_nobody)
{
    play("late-reply", [](stage& scene) -> awaitable<> {
        co_await sleep(400ms);
        co_await scene.ask("404");
        co_await scene.expect(504U);
        co_await sleep(300ms);
        co_await scene.reply("404");
        co_await sleep(400ms);
        co_await scene.ask("404");
        co_await sleep(120ms);
        co_await scene.reply("404");
        co_await scene.expect(200U);
    });
    BOOST_TEST_REQUIRE(seen.size() == 2U);
    BOOST_TEST(seen[0].outcome == "timed_out");
    BOOST_TEST(seen[1].outcome == "reply");
}

BOOST_AUTO_TEST_CASE(in_a_tie_the_reply_counts)
{
    play("tie", [](stage& scene) -> awaitable<> {
        co_await sleep(400ms);
        const auto began = clock::now();
        co_await scene.ask("404");
        co_await sleep(began + scene.reply_timeout - 1ms - clock::now());
        scene.reply_in_the_turn_of_the_deadline("404");
        co_await scene.expect(200U);
    });
    BOOST_TEST_REQUIRE(seen.size() == 1U);
    BOOST_TEST(seen[0].outcome == "reply");
    BOOST_TEST((seen[0].matched - seen[0].read >= reply_timeout));
}

BOOST_AUTO_TEST_CASE(a_backend_that_restarts_costs_time_and_no_request)
{
    play("restart", [](stage& scene) -> awaitable<> {
        co_await sleep(300ms);
        for (const auto* code : {"200", "404", "500"}) {
            co_await scene.ask(code);
            co_await sleep(30ms);
        }
        co_await scene.reply("200");
        co_await scene.expect(200U);
        co_await sleep(100ms);
        scene.stop_backend();
        co_await sleep(200ms);
        co_await scene.ask("301");
        co_await sleep(500ms);
        scene.open_backend();
        while (scene.asked.size() != 6)
            co_await sleep(1ms);
        for (const auto* code : {"404", "500", "301"}) {
            co_await sleep(60ms);
            co_await scene.reply(code);
            co_await scene.expect(200U);
        }
    });
    BOOST_TEST(seen.size() == 4U);
}

BOOST_AUTO_TEST_CASE(with_a_window_of_1_one_is_asked_after_the_other)
{
    window = 1;
    play("window-of-1", [](stage& scene) -> awaitable<> {
        co_await sleep(300ms);
        for (const auto* code : {"200", "404", "500", "301"})
            co_await scene.ask(code);
        BOOST_TEST(scene.asked.size() == 1U);
        for (const auto* code : {"200", "404", "500", "301"}) {
            co_await sleep(180ms);
            co_await scene.reply(code);
            co_await scene.expect(200U);
        }
    });
    BOOST_TEST_REQUIRE(seen.size() == 4U);
    for (std::size_t i = 1; i != seen.size(); ++i)
        BOOST_TEST((seen[i].written >= seen[i - 1].matched));
}

BOOST_AUTO_TEST_CASE(coalesced_requests_share_a_message_and_its_reply)
{
    coalesce = true;
    play("coalescing", [](stage& scene) -> awaitable<> {
        co_await sleep(300ms);
        for (const auto* code : {"404", "404", "200", "404", "404"}) {
            co_await scene.ask(code);
            co_await sleep(20ms);
        }
        BOOST_TEST(scene.asked.size() == 2U);
        co_await sleep(300ms);
        co_await scene.reply("404");
        co_await settle();
        co_await sleep(110ms);
        co_await scene.reply("200");
        for (int i = 0; i != 5; ++i)
            co_await scene.expect(200U);
    });
    BOOST_TEST(seen.size() == 5U);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
