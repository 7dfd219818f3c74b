#include "protocols/iso8583/protocol.hpp"

#include "protocols/iso8583/fields.hpp"
#include "protocols/iso8583/network_management.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace causeway::iso8583 {
namespace {

namespace event = upstream::event;

constexpr std::string_view response_mti = "0810";

// The bridge's own messages on a connection are numbered from here on.
constexpr unsigned first_trace = 999'000;
constexpr unsigned traces = 1'000;

// Each connection of a process begins this much higher than the one before it, so that two that begin in the same
// second do not sign on with the same message.
constexpr unsigned traces_between_connections = 37;

// The trace number of an answer to one of the bridge's own messages.
std::optional<std::string_view> own_trace_in(const message& message)
{
    const auto* trace = text_of(message, field::trace_number);
    if (message.mti != response_mti || trace == nullptr || !is_own_trace(*trace))
        return std::nullopt;
    return *trace;
}

class codec final : public upstream::codec {
public:
    codec(const iso8583::settings& settings, time_of_day now, unsigned trace)
        : settings_(settings)
        , now_(now)
        , trace_(trace)
        , frames_(settings.framing)
    {
    }

    std::span<char> space() override { return frames_.space(); }
    void received(std::size_t count) override { frames_.received(count); }
    upstream::any_event next() override;
    event::unreadable unfinished() const override;
    std::string greeting() override;
    std::string heartbeat() override { return say(echo_test); }
    std::string probe() override { return settings_.echo_after.count() != 0 ? say(echo_test) : std::string(); }

private:
    std::string say(std::string_view about);
    upstream::any_event take(const message& message, std::string_view bytes);
    upstream::any_event take_answer_to_sign_on(const message& message);
    upstream::any_event answer(const message& message, std::size_t size);
    event::unreadable unreadable(const problem& problem, std::size_t size);

    iso8583::settings settings_;
    time_of_day now_;
    unsigned trace_; // of the next own message
    frame_reader frames_;
    std::optional<std::string> sign_on_trace_; // until it is answered
    std::string words_;                        // what the last event refers to
};

std::string codec::greeting()
{
    if (!settings_.signs_on)
        return {};
    sign_on_trace_ = std::to_string(trace_);
    return say(sign_on);
}

std::string codec::say(std::string_view about)
{
    const auto message = network_request(about, trace_, now_());
    trace_ = first_trace + (trace_ + 1 - first_trace) % traces;
    std::string wire;
    append_frame(settings_.dialect.pack(message).value(), settings_.framing, wire); // `protocol` has verified it
    return wire;
}

upstream::any_event codec::next()
{
    if (const auto bytes = frames_.next()) {
        const auto message = settings_.dialect.unpack(*bytes);
        return message ? take(*message, *bytes) : unreadable(message.error(), bytes->size());
    }
    if (!frames_.broken().empty())
        return event::broken{frames_.broken()};
    return event::incomplete{};
}

upstream::any_event codec::take(const message& message, std::string_view bytes)
{
    if (is_network_request(message))
        return answer(message, bytes.size());
    if (const auto trace = own_trace_in(message)) {
        if (sign_on_trace_ == trace)
            return take_answer_to_sign_on(message);
        if (!sign_on_trace_)
            return event::alive{};
    }
    return event::message{key_of(message, settings_.key_fields), bytes};
}

upstream::any_event codec::take_answer_to_sign_on(const message& message)
{
    if (has_text(message, field::response_code, approved)) {
        sign_on_trace_.reset();
        return event::alive{};
    }
    const auto* code = text_of(message, field::response_code);
    words_ = code == nullptr ? "its answer to the sign-on has no response code, field 39"
                             : fmt::format("it declines the sign-on with response code {}", *code);
    return event::broken{words_};
}

upstream::any_event codec::answer(const message& message, std::size_t size)
{
    const auto packed = settings_.dialect.pack(network_response(message));
    if (!packed)
        return unreadable(packed.error(), size);
    if (packed->size() > longest_in(settings_.framing))
        return unreadable({"", "its answer is longer than a frame"}, size);
    words_.clear();
    append_frame(*packed, settings_.framing, words_);
    return event::to_answer{words_};
}

event::unreadable codec::unreadable(const problem& problem, std::size_t size)
{
    words_ = problem.field.empty() ? problem.what : fmt::format("field {}: {}", problem.field, problem.what);
    return {.shown = words_, .size = size, .expected = "a message of the dialect"};
}

event::unreadable codec::unfinished() const
{
    return {.shown = {}, .size = frames_.unfinished(), .expected = "the rest of their message"};
}

// Whether it may have been sent before (ISO 8583:1987, the message type's fourth digit): 0201, 0221, 0421.
bool is_repeat(std::string_view mti) { return (mti[3] - '0') % 2 == 1; }

// The bridge's own messages cannot fail later: only their numbers change, and these keep their length.
void check_own_messages(const settings& settings, time_of_day now)
{
    for (const auto about : {sign_on, echo_test}) {
        const auto packed = settings.dialect.pack(network_request(about, first_trace, now()));
        if (!packed)
            throw std::invalid_argument(fmt::format("the dialect cannot express the bridge's own 0800 message, with "
                                                    "fields 7, 11 and 70: {}: {}",
                                                    packed.error().field, packed.error().what));
        if (packed->size() > longest_in(settings.framing))
            throw std::invalid_argument("the header leaves no room for a message in a frame");
    }
}

} // namespace

result<upstream::question> question_for(const message& message, const settings& settings)
{
    const auto packed = settings.dialect.pack(message);
    if (!packed)
        return packed.error();
    // By what the host reads: where the dialect has padding, two spellings may be one message.
    const auto read = settings.dialect.unpack(*packed);
    if (!read)
        return read.error();
    const auto key = key_for(*read, settings.key_fields);
    if (!key)
        return key.error();
    if (const auto longest = longest_in(settings.framing); packed->size() > longest)
        return problem{"",
                       fmt::format("the message has {} bytes, but a frame holds at most {}", packed->size(), longest)};
    upstream::question question{.key = *key, .bytes = {}, .repeats_another = is_repeat(message.mti)};
    append_frame(*packed, settings.framing, question.bytes);
    return question;
}

upstream::protocol protocol(const settings& settings, time_of_day now)
{
    check_own_messages(settings, now);
    const auto make_codec = [settings, now, connections = 0U]() mutable {
        const auto first = first_trace + connections++ * traces_between_connections % traces;
        return std::make_unique<codec>(settings, now, first);
    };
    return {.make_codec = make_codec,
            .shares_keys = false,
            .late_replies = settings.late_replies,
            .heartbeat_after = settings.echo_after};
}

} // namespace causeway::iso8583
