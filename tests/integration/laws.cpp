// What the engine promises to every protocol, tested with three: the codes, which may be written twice and share their
// replies; numbered messages and payments, which may not and do not.
#include "http/server.hpp"
#include "kit.hpp"
#include "net/wakeup.hpp"
#include "numbered.hpp"
#include "protocols/codes/protocol.hpp"
#include "protocols/iso8583/protocol.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace causeway::test {
namespace {

using namespace asio::experimental::awaitable_operators;
using upstream::failure;
using upstream::pool;

// A protocol, and its peer. Questions are identified by three digits.
struct language {
    const char* name;
    upstream::protocol protocol;
    upstream::question (*question)(unsigned number);
    std::string (*reply)(unsigned number);       // on the wire
    std::string (*reply_bytes)(unsigned number); // as the pool gives it

    // Removes the question at the front of `bytes` and returns its number; nothing when it is incomplete.
    std::optional<unsigned> (*take_question)(std::string& bytes);

    bool (*is_probe)(unsigned number); // of the second connection
    bool repeats() const { return question(100).repeatable; }
    friend std::ostream& operator<<(std::ostream& output, const language& language) { return output << language.name; }
};

const language codes_language{
    "codes",
    codes::protocol(),
    [](unsigned number) { return codes::question_for(codes::code::parse(std::to_string(number)).value()); },
    [](unsigned number) { return reply_line(std::to_string(number)); },
    [](unsigned number) { return reply_line(std::to_string(number)); },
    [](std::string& bytes) -> std::optional<unsigned> {
        if (bytes.size() < 4)
            return std::nullopt;
        const auto number = static_cast<unsigned>(std::stoul(bytes.substr(0, 3)));
        bytes.erase(0, 4);
        return number;
    },
    [](unsigned number) { return number == 404; }};

const language numbered_language{"numbered",
                                 numbered::protocol(),
                                 [](unsigned number) { return numbered::question_for(number, "please"); },
                                 [](unsigned number) { return numbered::message(number, "as asked"); },
                                 [](unsigned) { return std::string("as asked"); },
                                 [](std::string& bytes) -> std::optional<unsigned> {
                                     if (bytes.size() < 4 || bytes.size() < 4U + static_cast<unsigned char>(bytes[3]))
                                         return std::nullopt;
                                     const auto number = static_cast<unsigned char>(bytes[6]) * 256U +
                                                         static_cast<unsigned char>(bytes[7]);
                                     bytes.erase(0, 4U + static_cast<unsigned char>(bytes[3]));
                                     return number;
                                 },
                                 [](unsigned number) { return number == numbered::own; }};

namespace payments {

iso8583::settings settings_of(bool signs_on)
{
    return {.dialect = iso8583::dialect::built_in("iso8583-1987-ascii"), .signs_on = signs_on};
}

const auto settings = settings_of(false);

// The bridge's own messages have numbers from here on.
constexpr unsigned first_own = 999'000;

iso8583::message message(std::string_view mti, unsigned number)
{
    return {.mti = std::string(mti), .elements = {{7, "1124163000"}, {11, fmt::format("{:06}", number)}}};
}

iso8583::message response(unsigned number, std::string_view response_code = "00")
{
    auto response = message(number < first_own ? "0210" : "0810", number);
    response.elements.push_back({39, std::string(response_code)});
    return response;
}

std::string packed(const iso8583::message& message) { return settings.dialect.pack(message).value(); }

std::string framed(const iso8583::message& message)
{
    std::string wire;
    append_frame(packed(message), settings.framing, wire);
    return wire;
}

std::optional<unsigned> take_question(std::string& bytes)
{
    iso8583::frame_reader reader(settings.framing);
    std::ranges::copy(bytes, reader.space().begin());
    reader.received(bytes.size());
    const auto question = reader.next();
    if (!question)
        return std::nullopt;
    bytes.erase(0, bytes.size() - reader.unfinished());
    return static_cast<unsigned>(std::stoul(*text_of(settings.dialect.unpack(*question).value(), 11)));
}

} // namespace payments

const language payments_language{
    "payments",
    iso8583::protocol(payments::settings),
    [](unsigned number) { return question_for(payments::message("0200", number), payments::settings).value(); },
    [](unsigned number) { return payments::framed(payments::response(number)); },
    [](unsigned number) { return payments::packed(payments::response(number)); },
    payments::take_question,
    [](unsigned number) { return number >= payments::first_own; }};

const std::array languages{codes_language, numbered_language, payments_language};

language with(language language, upstream::protocol protocol)
{
    language.protocol = std::move(protocol);
    return language;
}

// Those that have a greeting.
const std::array greeting_languages{with(numbered_language, numbered::protocol(numbered::greeting::first)),
                                    with(payments_language, iso8583::protocol(payments::settings_of(true)))};

// Those that can show that they are alive without answering a question: to a greeting or to a probe.
const std::array lively_languages{greeting_languages[0], greeting_languages[1], numbered_language, payments_language};

// The peer: the test decides what it does with a question.
class counterpart {
public:
    using answer_function = std::function<std::string(unsigned number)>; // the bytes to write, or nothing

    counterpart(asio::io_context& io, const language& spoken, answer_function answer)
        : language_(spoken)
        , answer_(std::move(answer))
        , asked_(io.get_executor())
        , backend_(io, [this](peer& peer) { return serve(peer); })
    {
    }

    net::host_port address() const { return backend_.address(); }
    const std::vector<unsigned>& questions() const { return questions_; } // in order of arrival
    std::size_t connections() const { return backend_.connections(); }
    void stop() { backend_.stop(); }

    // Waits until `count` questions have arrived.
    awaitable<> asked(std::size_t count)
    {
        while (questions_.size() < count)
            co_await asked_.wait();
    }

    // Ends the current connection with a reset.
    void reset()
    {
        if (peer_ != nullptr)
            std::exchange(peer_, nullptr)->reset();
    }

private:
    awaitable<> serve(peer& peer)
    {
        peer_ = &peer;
        std::string input;
        std::array<char, 1024> buffer;
        for (;;) {
            const auto [error, count] = co_await peer.socket.async_read_some(asio::buffer(buffer), as_result);
            if (error)
                break;
            input.append(buffer.data(), count);
            while (const auto number = language_.take_question(input)) {
                questions_.push_back(*number);
                const auto bytes = answer_(*number);
                co_await peer.write(bytes);
                asked_.notify();
            }
        }
        if (peer_ == &peer)
            peer_ = nullptr;
    }

    const language& language_;
    answer_function answer_;
    std::vector<unsigned> questions_;
    net::wakeup asked_;
    peer* peer_ = nullptr;
    backend_double backend_;
};

struct fixture {
    asio::io_context io;
    net::limit pending{1000};
    upstream::pool_settings settings = settings_for({});

    using story_function = awaitable<> (*)(pool&, counterpart&, const language&);

    // Runs `story` with a pool that speaks `language` to a counterpart that answers with `answer`. Nothing may be left
    // of it.
    void play(const language& language, counterpart::answer_function answer, story_function story)
    {
        counterpart counterpart(io, language, std::move(answer));
        settings.upstreams = {counterpart.address()};
        settings.protocol = language.protocol;
        pool the_pool(io, settings, pending);
        the_pool.start();
        run(io, tell(story, the_pool, counterpart, language));
        BOOST_TEST(the_pool.idle());
        BOOST_TEST(pending.taken() == 0U);
        const auto figures = the_pool.figures();
        BOOST_TEST(figures.requests.received == figures.requests.ended());
        BOOST_TEST(figures.waiting.all() == 0U);
    }

    static awaitable<> tell(story_function story, pool& pool, counterpart& other, const language& spoken)
    {
        co_await story(pool, other, spoken);
        pool.stop();
        other.stop();
    }
};

awaitable<upstream::outcome> ask(pool& pool, const language& language, unsigned number)
{
    steady_timer deadline(co_await asio::this_coro::executor);
    co_return co_await pool.ask(language.question(number), deadline);
}

bool is_reply(const upstream::outcome& outcome, const language& language, unsigned number)
{
    return outcome.has_value() && *outcome == language.reply_bytes(number);
}

bool is_failure(const upstream::outcome& outcome, error_code failure)
{
    return outcome.has_error() && outcome.error() == failure;
}

std::size_t count_of(unsigned number, const counterpart& other)
{
    return static_cast<std::size_t>(std::ranges::count(other.questions(), number));
}

// What a codec makes of `pieces` of a stream: keys and bytes of its messages.
std::vector<std::pair<std::string, std::string>> messages_in(const language& language,
                                                             const std::vector<std::string_view>& pieces)
{
    const auto codec = language.protocol.make_codec();
    std::vector<std::pair<std::string, std::string>> messages;
    for (auto piece : pieces) {
        const auto space = codec->space();
        BOOST_TEST_REQUIRE(space.size() >= piece.size());
        std::ranges::copy(piece, space.begin());
        codec->received(piece.size());
        for (auto event = codec->next(); !std::holds_alternative<upstream::event::incomplete>(event);
             event = codec->next()) {
            const auto& message = std::get<upstream::event::message>(event);
            messages.emplace_back(message.key.text(), message.bytes);
        }
    }
    return messages;
}

awaitable<bool> lose_the_first(counterpart& other)
{
    co_await other.asked(1);
    other.reset();
    co_return true;
}

awaitable<> hang_up_after_each_greeting(counterpart& other, clock::time_point end)
{
    for (std::size_t greetings = 1; clock::now() < end; ++greetings) {
        co_await other.asked(greetings);
        co_await settle(); // its answer has arrived
        other.reset();
    }
}

// Four at once, from `first` on.
awaitable<> ask_four(pool& pool, const language& language, unsigned first)
{
    co_await (ask(pool, language, first) && ask(pool, language, first + 1) && ask(pool, language, first + 2) &&
              ask(pool, language, first + 3));
}

// Both long enough to connect again.
constexpr std::array<std::chrono::nanoseconds, 5> brief_and_long{200ms, 200ms, 200ms, 4s, 4s};

std::size_t asked_without_probes(const counterpart& other, const language& language)
{
    return other.questions().size() -
           static_cast<std::size_t>(std::ranges::count_if(other.questions(), language.is_probe));
}

// Of four questions at once, `other` gets `share`.
awaitable<> check_share(std::size_t share, pool& pool, counterpart& other, const language& language, unsigned& next)
{
    const auto asked_before = asked_without_probes(other, language);
    co_await ask_four(pool, language, std::exchange(next, next + 4));
    BOOST_TEST(asked_without_probes(other, language) == asked_before + share);
}

awaitable<std::size_t> questions_after_a_while(counterpart& other)
{
    co_await sleep(150ms);
    co_return other.questions().size();
}

awaitable<bool> shorten_the_timeout_after_a_while(pool& pool)
{
    co_await sleep(4s);
    auto shorter = settings_for({});
    shorter.reply_timeout = 1s;
    pool.apply(shorter);
    co_return true;
}

// Wakes up a coroutine in the order in which the kernel reports events on sockets.
struct signal_pair {
    using socket = asio::local::stream_protocol::socket::rebind_executor<executor_type>::other;

    explicit signal_pair(const executor_type& executor)
        : told(executor)
        , teller(executor)
    {
        asio::local::connect_pair(told, teller);
    }

    socket told;
    socket teller;
};

awaitable<upstream::outcome> ask_when_told(pool& pool, const language& language, unsigned number, signal_pair& start)
{
    char byte = 0;
    co_await start.told.async_read_some(asio::buffer(&byte, 1), as_result);
    co_return co_await ask(pool, language, number);
}

// Both are noticed in one turn of the loop, in this order.
awaitable<bool> tell_and_reset(signal_pair& start, counterpart& other)
{
    co_await settle();
    start.teller.write_some(asio::buffer("!", 1));
    other.reset();
    co_return true;
}

// On the first connection.
awaitable<> ask_and_never_read(peer& peer, std::size_t most, std::size_t& asked)
{
    const auto question = numbered::message(numbered::echo, std::string(60'000, '?'));
    error_code broken;
    while (!broken && asked < most) {
        const auto [error, count] = co_await asio::async_write(peer.socket, asio::buffer(question), as_result);
        asked += count;
        broken = error;
    }
}

awaitable<> ask_again_and_again(peer& peer)
{
    const auto question = numbered::message(numbered::echo, "are you there?");
    std::string answer(question.size(), ' ');
    for (error_code broken; !broken; co_await sleep(100ms)) {
        co_await peer.write(question);
        const auto [error, count] = co_await asio::async_read(peer.socket, asio::buffer(answer), as_result);
        broken = error;
    }
}

// HTTP in front of the numbered protocol: the number is the request's body.
class by_number final : public http::handler {
public:
    explicit by_number(pool& pool)
        : pool_(pool)
    {
    }

    http::body_use use_of_bodies() const noexcept override { return http::body_use::kept; }

    http::reaction look_at(const http::request& request, steady_timer& deadline) override
    {
        const auto number = static_cast<std::uint32_t>(std::stoul(request.body));
        return pool_.ask(numbered::question_for(number, "please"), deadline);
    }

    void respond(const http::request&, http::outcome&& outcome, http::response& response) override
    {
        using status = boost::beast::http::status;
        response.status = outcome ? status::ok : status::bad_gateway;
        if (outcome)
            response.body = *outcome;
        else
            response.body = upstream::was_written(outcome.error()) ? "it was written" : "it was not written";
    }

private:
    pool& pool_;
};

awaitable<std::string> post(http_client& client, std::string number)
{
    co_await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n" + number);
    const auto response = co_await client.receive();
    co_return response.body();
}

awaitable<> ask_over_http(pool& pool, counterpart& other, const language&)
{
    by_number handler(pool);
    net::limit connections{10};
    const auto executor = co_await asio::this_coro::executor;
    auto& io = static_cast<asio::io_context&>(executor.context());
    http::server server(net::listen(io, {asio::ip::address_v4::loopback(), 0}, net::port_sharing::never), handler, {},
                        connections);
    bool ended = false;
    asio::co_spawn(executor, server.run(), [&](const std::exception_ptr&) { ended = true; });
    http_client client(executor);
    co_await client.connect(server.endpoint());
    BOOST_TEST(co_await post(client, "100") == "as asked");
    BOOST_TEST(co_await post(client, "101") == "it was written");
    BOOST_TEST(other.questions().size() == 2U);
    client.socket.close();
    server.drain();
    while (!ended)
        co_await sleep(10ms);
}

// Asks on a connection that never takes a question.
awaitable<> ask_without_a_reply(pool& pool, counterpart& other, const language& spoken)
{
    BOOST_TEST(is_failure(co_await ask(pool, spoken, 100), make_error_code(failure::timed_out, false)));
    co_await other.asked(2);
    co_await sleep(50ms); // in any case longer than the reply timeout
    BOOST_TEST(is_failure(co_await ask(pool, spoken, 100), make_error_code(failure::unavailable, false)));
    BOOST_TEST(count_of(100, other) == 0U);
    BOOST_TEST(pool.counts().connects == 0U);
}

awaitable<> stop_when_connected_again(pool& pool, backend_double& backend)
{
    while (backend.connections() < 2)
        co_await sleep(10ms);
    pool.stop();
    co_await backend.end();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(laws, fixture)

BOOST_DATA_TEST_CASE_F(fixture, any_cut_of_the_stream_gives_the_same_messages, languages, language)
{
    const auto stream = language.reply(100) + language.reply(101) + language.reply(102);
    const auto whole = messages_in(language, {stream});
    BOOST_TEST_REQUIRE(whole.size() == 3U);
    BOOST_TEST(whole[1].first == language.question(101).key.text());
    for (std::size_t cut = 1; cut != stream.size(); ++cut) {
        const std::string_view bytes(stream);
        BOOST_TEST((messages_in(language, {bytes.substr(0, cut), bytes.substr(cut)}) == whole), "cut at " << cut);
    }
}

BOOST_DATA_TEST_CASE_F(fixture, a_stream_that_comes_byte_by_byte_gives_the_same_messages, languages, language)
{
    const auto stream = language.reply(100) + language.reply(101);
    std::vector<std::string_view> bytes;
    for (std::size_t at = 0; at != stream.size(); ++at)
        bytes.push_back(std::string_view(stream).substr(at, 1));
    BOOST_TEST((messages_in(language, bytes) == messages_in(language, {stream})));
}

BOOST_DATA_TEST_CASE_F(fixture, a_late_a_repeated_and_an_unsolicited_reply_reach_nobody_else, languages, language)
{
    settings.reply_timeout = 50ms;
    const auto answer = [&language](unsigned number) {
        if (number == 100)
            return std::string(); // not in time
        if (number == 101)
            return language.reply(100) + language.reply(999) + language.reply(101) + language.reply(101);
        return language.reply(101) + language.reply(number);
    };
    play(language, answer, [](pool& pool, counterpart&, const test::language& spoken) -> awaitable<> {
        BOOST_TEST(is_failure(co_await ask(pool, spoken, 100), make_error_code(failure::timed_out, true)));
        BOOST_TEST(is_reply(co_await ask(pool, spoken, 101), spoken, 101));
        BOOST_TEST(is_reply(co_await ask(pool, spoken, 102), spoken, 102));
        BOOST_TEST(pool.counts().dropped == 4U);
    });
}

BOOST_DATA_TEST_CASE_F(fixture, a_second_request_for_a_key_shares_its_replies_or_is_refused, languages, language)
{
    play(
        language, [&language](unsigned number) { return language.reply(number); },
        [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
            const auto [first, second] = co_await (ask(pool, spoken, 100) && ask(pool, spoken, 100));
            BOOST_TEST(is_reply(first, spoken, 100));
            if (spoken.protocol.shares_keys)
                BOOST_TEST(is_reply(second, spoken, 100));
            else
                BOOST_TEST(is_failure(second, make_error_code(failure::duplicate, false)));
            BOOST_TEST(count_of(100, other) == (spoken.protocol.shares_keys ? 2U : 1U));
            BOOST_TEST(is_reply(co_await ask(pool, spoken, 100), spoken, 100)); // the key is free again
        });
}

BOOST_DATA_TEST_CASE_F(fixture, a_key_that_is_not_shared_stays_taken_while_its_late_reply_may_come, languages, language)
{
    settings.reply_timeout = 50ms;
    const auto answer = [&language](unsigned number) {
        return number == 100 ? std::string() : language.reply(100) + language.reply(number);
    };
    play(language, answer, [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
        BOOST_TEST(is_failure(co_await ask(pool, spoken, 100), make_error_code(failure::timed_out, true)));
        const auto again = co_await ask(pool, spoken, 100);
        if (spoken.protocol.shares_keys)
            BOOST_TEST(is_failure(again, make_error_code(failure::timed_out, true)));
        else
            BOOST_TEST(is_failure(again, make_error_code(failure::duplicate, false)));
        BOOST_TEST(is_reply(co_await ask(pool, spoken, 101), spoken, 101)); // after the late reply
        const auto asked = count_of(100, other);
        co_await ask(pool, spoken, 100);
        BOOST_TEST(count_of(100, other) == asked + (spoken.protocol.shares_keys ? 1 : 0)); // it may arrive once more
    });
}

// A key that is shared takes any reply; one that belongs to one request only the reply to what was written.
BOOST_DATA_TEST_CASE_F(fixture, an_unsolicited_reply_answers_no_question_that_was_not_written, languages, language)
{
    settings.window = 1;
    const auto answer_the_second_too = [&language](unsigned number) {
        return number == 100 ? language.reply(101) + language.reply(100) : language.reply(number);
    };
    play(language, answer_the_second_too,
         [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
             const auto [first, second] = co_await (ask(pool, spoken, 100) && ask(pool, spoken, 101));
             BOOST_TEST(is_reply(first, spoken, 100));
             BOOST_TEST(is_reply(second, spoken, 101));
             BOOST_TEST(count_of(101, other) == (spoken.protocol.shares_keys ? 0U : 1U));
         });
}

BOOST_DATA_TEST_CASE_F(fixture, a_repeated_reply_answers_no_later_question_that_was_not_written, languages, language)
{
    settings.window = 1;
    const auto repeat = [&language](unsigned number) {
        return number == 101 ? language.reply(100) + language.reply(101) : language.reply(number);
    };
    play(language, repeat, [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
        BOOST_TEST(is_reply(co_await ask(pool, spoken, 100), spoken, 100));
        const auto [first, second] = co_await (ask(pool, spoken, 101) && ask(pool, spoken, 100));
        BOOST_TEST(is_reply(first, spoken, 101));
        BOOST_TEST(is_reply(second, spoken, 100));
        BOOST_TEST(count_of(100, other) == (spoken.protocol.shares_keys ? 1U : 2U));
    });
}

BOOST_DATA_TEST_CASE_F(fixture, what_did_not_reach_the_kernel_counts_as_not_written, languages, language)
{
    settings.reply_timeout = 100ms;
    auto without_heartbeats = language;
    without_heartbeats.protocol.heartbeat_after = 0s;
    play(
        without_heartbeats, [&language](unsigned number) { return number == 100 ? "" : language.reply(number); },
        [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
            BOOST_TEST(is_failure(co_await ask(pool, spoken, 100), make_error_code(failure::timed_out, true)));
            other.reset(); // which the pool learns too late: it writes in the same turn, and expects no reply before
            BOOST_TEST(is_reply(co_await ask(pool, spoken, 101), spoken, 101));
            BOOST_TEST(count_of(101, other) == 1U);
            BOOST_TEST(other.connections() == 2U);
        });
}

// A host may take one question on each connection, or be stopped when it has answered.
BOOST_DATA_TEST_CASE_F(fixture, nothing_is_written_behind_a_close_that_came_with_a_reply, languages, language)
{
    settings.window = 1;
    play(
        language, [&language](unsigned number) { return language.reply(number); },
        [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
            const auto [first, second, lost] =
                co_await (ask(pool, spoken, 100) && ask(pool, spoken, 101) && lose_the_first(other));
            BOOST_TEST(lost);
            BOOST_TEST(is_reply(first, spoken, 100));
            BOOST_TEST(is_reply(second, spoken, 101));
            BOOST_TEST(count_of(101, other) == 1U);
            BOOST_TEST(pool.counts().rewritten == 0U);
        });
}

// The connection's end cancels the writer after that has been woken up.
BOOST_DATA_TEST_CASE_F(fixture, what_is_asked_in_the_turn_in_which_a_connection_ends_goes_to_the_next, languages,
                       language)
{
    play(
        language, [&language](unsigned number) { return language.reply(number); },
        [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
            BOOST_TEST(is_reply(co_await ask(pool, spoken, 100), spoken, 100));
            signal_pair start(co_await asio::this_coro::executor);
            const auto [asked, lost] =
                co_await (ask_when_told(pool, spoken, 101, start) && tell_and_reset(start, other));
            BOOST_TEST(lost);
            BOOST_TEST(is_reply(asked, spoken, 101));
            BOOST_TEST(pool.counts().rewritten == 0U);
            BOOST_TEST(count_of(101, other) == 1U);
        });
}

BOOST_DATA_TEST_CASE_F(fixture, what_may_not_be_written_twice_fails_with_its_connection, languages, language)
{
    settings.window = 1;
    bool first = true;
    const auto answer_all_but_the_first = [&](unsigned number) {
        return std::exchange(first, false) ? std::string() : language.reply(number);
    };
    play(language, answer_all_but_the_first,
         [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
             const auto [written, not_written, lost] =
                 co_await (ask(pool, spoken, 100) && ask(pool, spoken, 101) && lose_the_first(other));
             BOOST_TEST(lost);
             BOOST_TEST(is_reply(not_written, spoken, 101));
             if (spoken.repeats())
                 BOOST_TEST(is_reply(written, spoken, 100));
             else
                 BOOST_TEST(is_failure(written, make_error_code(failure::connection_lost, true)));
             BOOST_TEST(count_of(100, other) == (spoken.repeats() ? 2U : 1U));
             BOOST_TEST(count_of(101, other) == 1U);
         });
}

BOOST_DATA_TEST_CASE_F(fixture, a_probe_never_repeats_what_may_not_be_written_twice, languages, language)
{
    settings.reply_timeout = 100ms;
    auto kept_awake = language;
    kept_awake.protocol.heartbeat_after = 1h;
    bool has_answered = false;
    const auto answer_one_heartbeat = [&](unsigned number) {
        const bool is_heartbeat = !language.protocol.shares_keys && language.is_probe(number);
        return is_heartbeat && !std::exchange(has_answered, true) ? language.reply(number) : std::string();
    };
    play(kept_awake, answer_one_heartbeat,
         [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
             BOOST_TEST(is_failure(co_await ask(pool, spoken, 100), make_error_code(failure::timed_out, true)));
             co_await sleep(200ms); // the heartbeat, if the protocol has one, is answered
             BOOST_TEST(is_failure(co_await ask(pool, spoken, 101), make_error_code(failure::timed_out, true)));
             // Another heartbeat that is not answered, and on the next connection a probe.
             const std::size_t own_words = spoken.protocol.shares_keys ? 1 : 3;
             co_await other.asked(2 + own_words);
             BOOST_TEST(other.connections() == 2U);
             BOOST_TEST(static_cast<std::size_t>(std::ranges::count_if(other.questions(), spoken.is_probe)) ==
                        own_words);
         });
}

BOOST_DATA_TEST_CASE_F(fixture, a_tie_goes_to_the_reply, languages, language)
{
    upstream::multiplexer requests(io.get_executor(), 1,
                                   language.repeats() ? upstream::key_use::shared : upstream::key_use::own);
    upstream::lane lane([] {});
    requests.open(lane);
    {
        const auto question = language.question(100);
        upstream::waiting_request request(requests, question);
        std::string wire;
        requests.take(lane, wire, clock::now());
        steady_timer deadline(io, patience);
        std::optional<error_code> result;
        request.receive(deadline)(
            [&](const auto&, error_code error, const std::string&, error_code) { result = error; });
        deadline.cancel();
        BOOST_TEST(requests.deliver(lane, question.key, "in the same turn"));
        io.run();
        BOOST_TEST_REQUIRE(result.has_value());
        BOOST_TEST(!*result);
    }
    BOOST_TEST(requests.idle());
    BOOST_TEST(lane.waiting() == 0U);
}

// What only some protocols have: a greeting, heartbeats, answers to the peer's questions.

BOOST_DATA_TEST_CASE_F(fixture, a_connection_takes_questions_when_its_greeting_is_answered, greeting_languages,
                       language)
{
    bool greeted = false;
    const auto answer = [&](unsigned number) {
        BOOST_TEST(greeted == (number == 100));
        greeted = true;
        return language.reply(number);
    };
    play(language, answer, [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
        BOOST_TEST(is_reply(co_await ask(pool, spoken, 100), spoken, 100));
        BOOST_TEST(other.questions()[0] != 100U);
        BOOST_TEST(pool.counts().connects == 1U);
    });
}

BOOST_DATA_TEST_CASE_F(fixture, without_an_answer_to_the_greeting_nothing_is_written_and_it_counts_as_down,
                       greeting_languages, language)
{
    settings.reply_timeout = 50ms;
    play(
        language, [](unsigned) { return std::string(); }, ask_without_a_reply);
}

BOOST_DATA_TEST_CASE_F(fixture, what_is_no_answer_to_the_greeting_opens_no_connection, greeting_languages, language)
{
    settings.reply_timeout = 50ms;
    play(
        language, [&language](unsigned) { return language.reply(999); }, ask_without_a_reply);
}

BOOST_AUTO_TEST_CASE(where_a_sign_on_is_declined_nothing_is_written_and_it_counts_as_down)
{
    settings.reply_timeout = 50ms;
    play(
        greeting_languages[1], [](unsigned number) { return payments::framed(payments::response(number, "91")); },
        ask_without_a_reply);
}

BOOST_AUTO_TEST_CASE(a_host_that_declines_is_not_asked_more_often_because_requests_wait)
{
    settings.reply_timeout = 10s;
    settings.reconnect_max = 3s;
    play(
        greeting_languages[1], [](unsigned number) { return payments::framed(payments::response(number, "91")); },
        [](pool& pool, counterpart& other, const language& spoken) -> awaitable<> {
            BOOST_TEST(is_failure(co_await ask(pool, spoken, 100), make_error_code(failure::timed_out)));
            BOOST_TEST(other.connections() < 40U); // with the shortest pauses it would be 400
        });
}

// It gets only questions, so the next one shows that it works.
BOOST_AUTO_TEST_CASE(a_host_without_echo_tests_is_trusted_again_after_a_question_without_a_reply)
{
    auto taciturn = payments::settings_of(false);
    taciturn.echo_after = 0s;
    const auto answer = [](unsigned number) {
        return number == 100 || number >= payments::first_own ? std::string() : payments_language.reply(number);
    };
    settings.reply_timeout = 100ms;
    play(with(payments_language, iso8583::protocol(taciturn)), answer,
         [](pool& pool, counterpart& other, const language& spoken) -> awaitable<> {
             BOOST_TEST(is_failure(co_await ask(pool, spoken, 100), make_error_code(failure::timed_out, true)));
             co_await sleep(2s);
             BOOST_TEST(is_reply(co_await ask(pool, spoken, 101), spoken, 101));
             BOOST_TEST(other.questions().size() == 2U);
         });
}

// It may be a proxy whose host is away: its share of the payments would be lost with its connection, again and again.
BOOST_AUTO_TEST_CASE(a_host_without_echo_tests_that_hung_up_is_asked_one_question_while_another_works)
{
    auto taciturn = payments::settings_of(false);
    taciturn.echo_after = 0s;
    const auto spoken = with(payments_language, iso8583::protocol(taciturn));
    counterpart away(io, spoken, [](unsigned) { return std::string(); });
    counterpart good(io, spoken, spoken.reply);
    settings.upstreams = {away.address(), good.address()};
    settings.protocol = spoken.protocol;
    settings.reply_timeout = 200ms;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](pool& pool, counterpart& hung_up, counterpart& other, const language& protocol) -> awaitable<> {
        co_await sleep(100ms); // both are connected
        const auto [first, second, lost] =
            co_await (ask(pool, protocol, 100) && ask(pool, protocol, 101) && lose_the_first(hung_up));
        BOOST_TEST(first.has_value() != second.has_value());
        co_await sleep(500ms); // and so they are again
        BOOST_TEST(hung_up.connections() == 2U);
        const auto [a, b, c, d, asked] =
            co_await (ask(pool, protocol, 102) && ask(pool, protocol, 103) && ask(pool, protocol, 104) &&
                      ask(pool, protocol, 105) && questions_after_a_while(hung_up));
        BOOST_TEST(asked == 2U); // the one that was lost, and one more
        BOOST_TEST(other.questions().size() == 4U);
        pool.stop();
        hung_up.stop();
        other.stop();
    }(the_pool, away, good, spoken));
}

BOOST_DATA_TEST_CASE_F(fixture, a_peer_that_answers_the_greeting_and_hangs_up_is_tried_again_after_growing_pauses,
                       greeting_languages, language)
{
    settings.reconnect_max = 3s;
    play(
        language, [&language](unsigned number) { return language.reply(number); },
        [](pool&, counterpart& other, const test::language&) -> awaitable<> {
            co_await hang_up_after_each_greeting(other, clock::now() + 12s);
            BOOST_TEST(other.connections() < 40U); // with the shortest pauses it would be 400
        });
}

// The window of the other one is full.
BOOST_DATA_TEST_CASE_F(fixture, a_peer_that_hangs_up_is_tried_after_growing_pauses_even_if_requests_wait_for_another,
                       greeting_languages, language)
{
    counterpart* to_hang_up = nullptr;
    counterpart away(io, language, [&](unsigned) {
        to_hang_up->reset();
        return std::string();
    });
    to_hang_up = &away;
    counterpart busy(io, language, [&](unsigned number) {
        return language.is_probe(number) ? language.reply(number) : std::string();
    });
    settings.upstreams = {away.address(), busy.address()};
    settings.protocol = language.protocol;
    settings.window = 1;
    settings.reply_timeout = 12s;
    settings.reconnect_max = 3s;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io, [](pool& pool, counterpart& hangs_up, counterpart& works, const test::language& spoken) -> awaitable<> {
        co_await ask_four(pool, spoken, 100);
        BOOST_TEST(works.questions().size() >= 1U);
        BOOST_TEST(hangs_up.connections() < 40U); // with the shortest pauses it would be 400
        pool.stop();
        hangs_up.stop();
        works.stop();
    }(the_pool, away, busy, language));
}

// Only its share of the first connection is lost, then a single question with each connection.
BOOST_DATA_TEST_CASE_F(fixture, a_peer_that_lives_and_hangs_up_when_asked_gets_one_question_while_another_works,
                       lively_languages, language)
{
    counterpart* to_hang_up = nullptr; // until it works again
    counterpart other(io, language, [&](unsigned number) {
        if (to_hang_up == nullptr)
            return language.reply(number);
        if (language.is_probe(number)) // with a message of its own, which answers no question
            return language.reply(number) + language.reply(99);
        to_hang_up->reset();
        return std::string();
    });
    to_hang_up = &other;
    counterpart good(io, language, language.reply);
    settings.upstreams = {other.address(), good.address()};
    settings.protocol = language.protocol;
    pool the_pool(io, settings, pending);
    the_pool.start();
    run(io,
        [](pool& pool, counterpart& hangs_up, counterpart*& is_down, counterpart& works,
           const test::language& spoken) -> awaitable<> {
            auto next = 100U;
            std::size_t share = 2;
            for (const auto time_to_connect : brief_and_long) {
                co_await sleep(time_to_connect);
                co_await check_share(std::exchange(share, 1), pool, hangs_up, spoken, next);
            }
            BOOST_TEST(hangs_up.connections() == brief_and_long.size());
            BOOST_TEST(pool.counts().lost == brief_and_long.size() + 1);
            is_down = nullptr;
            co_await sleep(brief_and_long[0]);
            co_await check_share(1, pool, hangs_up, spoken, next);
            co_await check_share(2, pool, hangs_up, spoken, next);
            BOOST_TEST(pool.counts().lost == brief_and_long.size() + 1);
            pool.stop();
            hangs_up.stop();
            works.stop();
        }(the_pool, other, to_hang_up, good, language));
}

BOOST_DATA_TEST_CASE_F(fixture, a_quiet_connection_is_kept_awake, greeting_languages, language)
{
    auto kept_awake = language;
    kept_awake.protocol.heartbeat_after = 200ms;
    settings.reply_timeout = 50ms;
    play(
        kept_awake, [&language](unsigned number) { return language.reply(number); },
        [](pool&, counterpart& other, const test::language& spoken) -> awaitable<> {
            co_await other.asked(4); // the greeting and three heartbeats
            BOOST_TEST(std::ranges::all_of(other.questions(), spoken.is_probe));
            BOOST_TEST(other.connections() == 1U);
        });
}

// It may know none.
BOOST_DATA_TEST_CASE_F(fixture, a_peer_that_has_never_answered_a_heartbeat_is_not_given_up_for_that, languages,
                       language)
{
    auto kept_awake = language;
    kept_awake.protocol.heartbeat_after = 200ms;
    settings.reply_timeout = 50ms;
    const auto answer_questions = [&language](unsigned number) {
        return language.is_probe(number) ? std::string() : language.reply(number);
    };
    play(kept_awake, answer_questions, [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
        BOOST_TEST(is_reply(co_await ask(pool, spoken, 100), spoken, 100));
        co_await sleep(5s);
        BOOST_TEST(is_reply(co_await ask(pool, spoken, 101), spoken, 101));
        BOOST_TEST(other.connections() == 1U);
        BOOST_TEST((other.questions().size() > 10U || spoken.protocol.shares_keys));
    });
}

// A heartbeat shows that it is alive before it is given up. So questions asked meanwhile get their replies.
BOOST_DATA_TEST_CASE_F(fixture, a_peer_that_leaves_a_question_without_a_reply_and_answers_heartbeats_is_not_given_up,
                       greeting_languages, language)
{
    auto kept_awake = language;
    kept_awake.protocol.heartbeat_after = 1h;
    settings.reply_timeout = 1s;
    const auto answer = [&language](unsigned number) { return number == 100 ? std::string() : language.reply(number); };
    play(kept_awake, answer, [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
        BOOST_TEST(is_failure(co_await ask(pool, spoken, 100), make_error_code(failure::timed_out, true)));
        co_await sleep(2s); // by now it would have been given up
        BOOST_TEST(is_reply(co_await ask(pool, spoken, 101), spoken, 101));
        BOOST_TEST(other.connections() == 1U);
        BOOST_TEST(std::ranges::count_if(other.questions(), spoken.is_probe) == 2); // the greeting and a heartbeat
    });
}

BOOST_DATA_TEST_CASE_F(fixture, a_shorter_reply_timeout_gives_up_no_peer_that_answers_heartbeats, greeting_languages,
                       language)
{
    auto kept_awake = language;
    kept_awake.protocol.heartbeat_after = 1h;
    settings.reply_timeout = 6s;
    const auto answer = [&language](unsigned number) { return number == 100 ? std::string() : language.reply(number); };
    play(kept_awake, answer, [](pool& pool, counterpart& other, const test::language& spoken) -> awaitable<> {
        const auto [outcome, shortened] = co_await (ask(pool, spoken, 100) && shorten_the_timeout_after_a_while(pool));
        BOOST_TEST(is_failure(outcome, make_error_code(failure::timed_out, true)));
        BOOST_TEST(other.connections() == 1U);
    });
}

// The client does not know whether its reversal has arrived, so it repeats it.
BOOST_AUTO_TEST_CASE(a_repeat_may_have_the_key_of_a_message_whose_late_reply_may_still_come)
{
    auto questions = 0;
    const auto answer = [&questions](unsigned number) {
        auto response = payments::message("0430", number);
        response.elements.push_back({39, "00"});
        return ++questions == 2 ? payments::framed(response) : std::string();
    };
    settings.reply_timeout = 50ms;
    auto brief = payments::settings_of(false);
    brief.late_replies = 200ms;
    const auto spoken = with(payments_language, iso8583::protocol(brief));
    play(spoken, answer, [](pool& pool, counterpart& other, const language&) -> awaitable<> {
        steady_timer deadline(co_await asio::this_coro::executor);
        const auto reversal = question_for(payments::message("0420", 100), payments::settings).value();
        const auto repeat = question_for(payments::message("0421", 100), payments::settings).value();
        BOOST_TEST(is_failure(co_await pool.ask(reversal, deadline), make_error_code(failure::timed_out, true)));
        BOOST_TEST(is_failure(co_await pool.ask(reversal, deadline), make_error_code(failure::duplicate)));
        co_await sleep(100ms);
        const auto outcome = co_await pool.ask(repeat, deadline);
        BOOST_TEST(outcome.has_value());
        co_await sleep(150ms); // the reversal's own reply cannot arrive any more; that to the repeat can
        BOOST_TEST(is_failure(co_await pool.ask(reversal, deadline), make_error_code(failure::duplicate)));
        BOOST_TEST(other.questions().size() == 2U);
    });
}

BOOST_AUTO_TEST_CASE(the_hosts_own_network_management_is_answered)
{
    const auto answer = [](unsigned number) {
        auto test_of_the_connection = payments::message("0800", 7);
        test_of_the_connection.elements.push_back({70, "301"});
        return number == 100 ? payments::framed(test_of_the_connection) : std::string();
    };
    settings.reply_timeout = 50ms;
    play(payments_language, answer, [](pool& pool, counterpart& other, const language& spoken) -> awaitable<> {
        BOOST_TEST(is_failure(co_await ask(pool, spoken, 100), make_error_code(failure::timed_out, true)));
        co_await other.asked(2);
        BOOST_TEST(other.questions()[1] == 7U);
        BOOST_TEST(other.connections() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(what_the_peer_wants_to_have_answered_is_answered)
{
    const auto answer = [](unsigned number) {
        return number == 100 ? numbered::message(numbered::echo, "are you there?") : std::string();
    };
    settings.reply_timeout = 50ms;
    play(numbered_language, answer, [](pool& pool, counterpart& other, const language& spoken) -> awaitable<> {
        BOOST_TEST(is_failure(co_await ask(pool, spoken, 100), make_error_code(failure::timed_out, true)));
        co_await other.asked(2);
        BOOST_TEST(other.questions()[1] == numbered::echo % 0x10000);
        BOOST_TEST(other.connections() == 1U);
    });
}

BOOST_AUTO_TEST_CASE(it_is_asked_over_http_by_a_handler_of_its_own)
{
    const auto answer = [](unsigned number) { return number == 100 ? numbered_language.reply(number) : std::string(); };
    settings.reply_timeout = 50ms;
    play(numbered_language, answer, ask_over_http);
}

BOOST_AUTO_TEST_CASE(a_peer_that_only_asks_owes_nothing)
{
    backend_double backend(io, ask_again_and_again);
    settings.reply_timeout = 50ms;
    settings.upstreams = {backend.address()};
    settings.protocol = numbered_language.protocol;
    pool the_pool(io, settings, pending);
    the_pool.start();

    run(io, [](pool& asked, backend_double& asking) -> awaitable<> {
        co_await sleep(5s); // ten times as long as a peer that owes a reply may be silent
        BOOST_TEST(asking.connections() == 1U);
        asked.stop();
        co_await asking.end();
    }(the_pool, backend));
}

BOOST_AUTO_TEST_CASE(a_peer_that_does_not_read_the_answers_to_what_it_asks_costs_no_memory)
{
    constexpr std::size_t more_than_kernels_keep = 64'000'000;
    std::size_t asked = 0;
    backend_double backend(io, [&](peer& peer) { return ask_and_never_read(peer, more_than_kernels_keep, asked); });
    settings.upstreams = {backend.address()};
    settings.protocol = numbered_language.protocol;
    pool the_pool(io, settings, pending);

    the_pool.start();
    run(io, stop_when_connected_again(the_pool, backend));

    BOOST_TEST(asked < more_than_kernels_keep);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace causeway::test
