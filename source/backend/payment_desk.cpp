#include "backend/payment_desk.hpp"

#include "protocols/iso8583/fields.hpp"
#include "protocols/iso8583/network_management.hpp"

#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

namespace causeway::backend {
namespace {

namespace field = iso8583::field;

constexpr std::string_view insufficient_funds = "51";
constexpr std::string_view not_supported = "40";

// Places in an MTI.
constexpr std::size_t message_class = 1;
constexpr std::size_t function = 2;
constexpr std::size_t origin = 3;

// The fields that an answer returns: processing code, amount, times, trace number, settlement date, fees, institutions,
// retrieval reference, terminal, acceptor, currency, Postilion's echo data (59), the purpose of network management,
// original data of a reversal, receiving institution.
constexpr std::array<unsigned, 21> given_back{3,  4,  7,  11, 12, 13, 15, 28, 29, 30, 31,
                                              32, 33, 37, 41, 42, 49, 59, 70, 90, 100};

std::uint64_t amount_of(const iso8583::message& message)
{
    const auto* digits = text_of(message, field::amount);
    if (digits == nullptr)
        return 0;
    auto amount = std::numeric_limits<std::uint64_t>::max(); // stays when there are too many digits
    std::from_chars(digits->data(), digits->data() + digits->size(), amount);
    return amount;
}

iso8583::message answer_to(const iso8583::message& request, std::string_view response_code)
{
    auto answer = iso8583::only(request, given_back);
    ++answer.mti[function];
    answer.mti[origin] = '0';
    set_text(answer, field::response_code, response_code);
    return answer;
}

iso8583::message approval_of(const iso8583::message& request)
{
    auto approval = answer_to(request, iso8583::approved);
    if (const auto* trace = text_of(request, field::trace_number))
        set_text(approval, field::approval_code, *trace);
    return approval;
}

decision decide_on_payment(const iso8583::message& request)
{
    const auto amount = amount_of(request);
    if (amount == silent_amount)
        return {};
    if (amount == slow_amount)
        return {approval_of(request), slow_answer};
    if (amount >= smallest_declined)
        return {answer_to(request, insufficient_funds)};
    return {approval_of(request)};
}

bool asks(std::string_view mti) { return mti[function] == '0' || mti[function] == '2'; }
bool is_advice(std::string_view mti) { return mti[function] == '2'; }

} // namespace

decision decide(const iso8583::message& message)
{
    const std::string_view mti = message.mti;
    if (!iso8583::is_mti(mti) || !asks(mti))
        return {};
    switch (mti[message_class]) {
    case '1':
    case '2':
        return is_advice(mti) ? decision{approval_of(message)} : decide_on_payment(message);
    case '4':
        return {answer_to(message, iso8583::approved)};
    case '8':
        return {answer_to(message, is_about_the_connection(message) ? iso8583::approved : not_supported)};
    default:
        return {answer_to(message, not_supported)};
    }
}

} // namespace causeway::backend
