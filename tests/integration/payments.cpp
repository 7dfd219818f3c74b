#include "payments.hpp"

#include "protocols/iso8583/frame.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace causeway::test {
namespace {

std::string framed(const iso8583::message& message)
{
    const auto settings = payments();
    std::string wire;
    append_frame(settings.dialect.pack(message).value(), settings.framing, wire);
    return wire;
}

// 0200 is answered with 0210, 0800 with 0810; approved.
iso8583::message reply_to(iso8583::message message)
{
    message.mti[2] = '1';
    const auto behind = std::ranges::upper_bound(message.elements, 39U, {}, &iso8583::element::number);
    message.elements.insert(behind, {.number = 39, .text = "00", .parts = {}});
    return message;
}

constexpr const char* time_of_all = "1124163000";

} // namespace

iso8583::settings payments()
{
    static const auto dialect = iso8583::dialect::built_in("postilion");
    return {.dialect = dialect, .late_replies = 500ms};
}

std::string purchase(std::uint64_t amount, unsigned trace)
{
    return fmt::format(R"({{"mti":"0200","3":"000000","4":"{:012}","7":"{}","11":"{:06}","41":"TERM0001"}})", amount,
                       time_of_all, trace);
}

std::uint64_t amount_of(const iso8583::message& message)
{
    const auto* text = text_of(message, 4);
    return text == nullptr ? 0 : std::stoull(*text);
}

backend_language payment_books::language()
{
    return {.question = [this](peer& peer) { return read(peer); },
            .reply = [this](const std::string& question) { return answer(question); },
            .wrong_reply =
                [](std::uint32_t any) {
                    return framed({.mti = "0210",
                                   .elements = {{.number = 7, .text = time_of_all, .parts = {}},
                                                {.number = 11, .text = fmt::format("{:06}", any), .parts = {}},
                                                {.number = 39, .text = "00", .parts = {}}}});
                },
            .garbage = std::string("\0\x06"
                                   "0210??",
                                   8),
            .endless_garbage = std::string(2 * iso8583::longest_message, '\xff')};
}

awaitable<std::string> payment_books::read(peer& peer)
{
    const auto length = co_await peer.read(2);
    if (length.empty())
        co_return std::string();
    const auto size = static_cast<unsigned char>(length[0]) * 256U + static_cast<unsigned char>(length[1]);
    auto question = co_await peer.read(size);
    if (!question.empty())
        if (const auto amount = amount_of(payments().dialect.unpack(question).value()); amount != 0)
            ++seen_.at(amount);
    co_return question;
}

std::string payment_books::answer(const std::string& question)
{
    const auto message = payments().dialect.unpack(question).value();
    if (const auto amount = amount_of(message); amount != 0)
        answered_.at(amount) = true;
    return framed(reply_to(message));
}

} // namespace causeway::test
