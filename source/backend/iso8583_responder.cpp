#include "backend/iso8583_responder.hpp"

#include "backend/payment_desk.hpp"
#include "net/worth_a_line.hpp"
#include "protocols/iso8583/network_management.hpp"
#include "protocols/iso8583/shown.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace causeway::backend {
namespace {

constexpr unsigned last_trace = 999'999;

iso8583::message echo_test(const host_settings& settings, unsigned trace)
{
    return iso8583::network_request(iso8583::echo_test, trace, settings.time_of_day());
}

// A message in its frame, or why there is none.
iso8583::result<std::string> framed(const iso8583::message& message, const host_settings& settings)
{
    const auto packed = settings.dialect.pack(message);
    if (!packed)
        return packed.error();
    if (packed->size() > longest_in(settings.framing))
        return iso8583::problem{"", "a frame is too short for the answer"};
    std::string frame;
    append_frame(*packed, settings.framing, frame);
    return {boost::system::in_place_value, std::move(frame)};
}

// In words, for the log.
std::string words_for(const decision& decision)
{
    if (!decision.answer)
        return "no answer";
    const auto answer = shown(*decision.answer);
    if (decision.after.count() == 0)
        return answer;
    return fmt::format("in {} {}", std::chrono::duration_cast<std::chrono::seconds>(decision.after), answer);
}

} // namespace

void check(const host_settings& settings)
{
    const iso8583::message approval{"0210", {{11, "000001", {}}, {38, "000001", {}}, {39, "00", {}}}};
    for (const auto& message : {approval, echo_test(settings, 1)}) {
        const auto frame = framed(message, settings);
        if (!frame)
            throw std::invalid_argument("the dialect cannot express the host's own messages, with fields 7, 11, 38, "
                                        "39 and 70: " +
                                        in_words(frame.error()));
    }
}

iso8583_responder::iso8583_responder(const host_settings& settings, complaints& complaints, clock::time_point now)
    : settings_(settings)
    , complaints_(complaints)
    , frames_(settings.framing)
    , echo_due_(end_of_quiet(now))
{
}

bool iso8583_responder::take(std::string_view bytes, clock::time_point now, std::string& output)
{
    echo_due_ = end_of_quiet(now);
    while (!bytes.empty()) {
        const auto space = frames_.space();
        const auto count = bytes.copy(space.data(), space.size());
        frames_.received(count);
        bytes.remove_prefix(count);
        while (const auto message = frames_.next())
            answer(*message, now, output);
        if (const auto reason = frames_.broken(); !reason.empty()) {
            if (net::worth_a_line(++complaints_.broken))
                spdlog::warn("iso8583 host: a connection ends: {} ({} such so far)", reason, complaints_.broken);
            return false;
        }
    }
    return true;
}

void iso8583_responder::finish(std::string&)
{
    if (frames_.unfinished() != 0 && frames_.broken().empty())
        complain(frames_.unfinished(), {"", "the connection ends before the message does"});
}

void iso8583_responder::answer(std::string_view bytes, clock::time_point now, std::string& output)
{
    const auto message = settings_.dialect.unpack(bytes);
    if (!message)
        return complain(bytes.size(), message.error());
    const auto decision = decide(*message);
    if (spdlog::should_log(spdlog::level::debug))
        spdlog::debug("iso8583 host: {}, {} bytes: {}", shown(*message), bytes.size(), words_for(decision));
    if (!decision.answer)
        return;
    auto frame = framed(*decision.answer, settings_);
    if (!frame)
        return complain(bytes.size(), frame.error());
    if (decision.after.count() == 0) {
        output += *frame;
        return;
    }
    held_size_ += frame->size();
    held_.emplace(now + decision.after, std::move(*frame));
}

void iso8583_responder::complain(std::size_t size, const iso8583::problem& problem)
{
    if (net::worth_a_line(++complaints_.unreadable))
        spdlog::warn("iso8583 host: no answer to a message of {} bytes: {} ({} such so far)", size, in_words(problem),
                     complaints_.unreadable);
}

clock::time_point iso8583_responder::end_of_quiet(clock::time_point now) const
{
    return settings_.echo_after.count() == 0 ? never : now + settings_.echo_after;
}

clock::time_point iso8583_responder::due() const
{
    return held_.empty() ? echo_due_ : std::min(echo_due_, held_.begin()->first);
}

void iso8583_responder::speak(clock::time_point now, std::string& output)
{
    while (!held_.empty() && held_.begin()->first <= now) {
        held_size_ -= held_.begin()->second.size();
        output += held_.begin()->second;
        held_.erase(held_.begin());
        if (echo_due_ != never)
            echo_due_ = end_of_quiet(now);
    }
    if (echo_due_ <= now) {
        trace_ = trace_ % last_trace + 1;
        output += framed(echo_test(settings_, trace_), settings_).value(); // `check` has verified it
        echo_due_ = never;
    }
}

} // namespace causeway::backend
