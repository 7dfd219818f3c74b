#include "protocols/iso8583/dialect.hpp"
#include "protocols/iso8583/specification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace causeway::iso8583 {
namespace {

using boost::system::in_place_value;
using form = length_prefix::form;
using elements = std::vector<element>;

problem wrong(std::string what) { return {.field = {}, .what = std::move(what)}; }

// The next `count` bytes of those that are left.
result<std::string_view> take(std::size_t count, std::string_view& left)
{
    if (count > left.size())
        return wrong("is cut off");
    const auto taken = left.substr(0, count);
    left.remove_prefix(count);
    return taken;
}

// The length of an element that is everything that is left.
std::size_t length_of(const field_specification& field, std::string_view left)
{
    const bool takes_two_bytes_for_one = !field.has_parts() && field.written == encoding::hexadecimal;
    return takes_two_bytes_for_one ? (left.size() + 1) / 2 : left.size();
}

// How many characters, or bytes, an element has. The error does not show the length: if an element is misplaced, its
// length is another element's content.
result<std::size_t> take_length(const field_specification& field, std::string_view& left)
{
    if (field.prefix.written == form::fixed)
        return field.length;
    auto length = std::optional(length_of(field, left));
    if (field.prefix.is_written()) {
        const auto bytes = take(size_of(field.prefix), left);
        if (!bytes)
            return bytes.error();
        length = decode_length(field.prefix, *bytes);
    }
    if (!length)
        return wrong("has a length that is not a number");
    if (*length > field.length)
        return wrong(fmt::format("is longer than the maximum of {}", field.length));
    return *length;
}

std::optional<problem> wrong_characters(alphabet allowed, std::string_view text)
{
    const bool has_digits_only = text.find_first_not_of("0123456789") == std::string_view::npos;
    if (allowed == alphabet::digits && !has_digits_only)
        return wrong("has something other than digits");
    return std::nullopt;
}

void remove_padding(const padding& padding, std::string& text)
{
    if (padding.stays())
        return;
    if (padding.on_the_left)
        text.erase(0, text.find_first_not_of(padding.character));
    else
        text.erase(text.find_last_not_of(padding.character) + 1);
}

result<std::string> take_text(const field_specification& field, std::string_view& left)
{
    const auto length = take_length(field, left);
    if (!length)
        return length.error();
    const auto bytes = take(encoded_size(field.written, *length), left);
    if (!bytes)
        return bytes.error();
    auto text = decode(field.written, *bytes, *length);
    if (!text)
        return wrong("has bytes that are not digits");
    if (auto problem = wrong_characters(field.may_have, *text))
        return *std::move(problem);
    if (field.padding)
        remove_padding(*field.padding, *text);
    return {in_place_value, *std::move(text)};
}

// As text with a 1 for each bit that is set, the first one for number 1.
result<std::string> take_bits(const bitmap_form& bitmap, std::string_view& left)
{
    const auto bytes = take(encoded_size(bitmap.written, bitmap.size), left);
    if (!bytes)
        return bytes.error();
    const auto digits = decode(bitmap.written, *bytes, bitmap.size);
    if (!digits)
        return wrong("has a bitmap of something other than hexadecimal digits");
    std::string bits;
    for (const auto digit : *digits) {
        const auto value = static_cast<unsigned>(digit <= '9' ? digit - '0' : digit - 'A' + 10);
        bits += fmt::format("{:04b}", value);
    }
    return {in_place_value, std::move(bits)};
}

// The numbers of the parts that follow.
result<std::vector<unsigned>> take_bitmap(const bitmap_form& bitmap, std::string_view& left)
{
    auto bits = take_bits(bitmap, left);
    if (bits && bitmap.grows && bits->front() == '1') {
        const auto more = take_bits(bitmap, left);
        if (!more)
            return more.error();
        if (more->front() == '1')
            return in_element(static_cast<unsigned>(bits->size() + 1),
                              wrong("would announce a third bitmap, which is not supported"));
        bits->front() = '0';
        *bits += *more;
    }
    if (!bits)
        return bits.error();
    std::vector<unsigned> numbers;
    for (auto at = bits->find('1'); at != std::string::npos; at = bits->find('1', at + 1))
        numbers.push_back(static_cast<unsigned>(at + 1));
    return numbers;
}

result<element> take_element(const field_specification* field, unsigned number, std::string_view& left);

result<elements> take_numbered(const field_specification& whole, std::string_view& left)
{
    const auto numbers = take_bitmap(*whole.bitmap, left);
    if (!numbers)
        return numbers.error();
    elements parts;
    parts.reserve(numbers->size());
    for (const auto number : *numbers) {
        auto part = take_element(whole.part(number), number, left);
        if (!part)
            return part.error();
        parts.push_back(*std::move(part));
    }
    return parts;
}

result<unsigned> take_tag(const tag_form& tag, std::string_view& left)
{
    const auto bytes = take(encoded_size(tag.written, tag.length), left);
    if (!bytes)
        return wrong("is cut off in a tag");
    const auto digits = decode(tag.written, *bytes, tag.length).value_or("");
    unsigned number = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, number);
    if (error != std::errc() || stopped != end)
        return wrong("has a tag that is not a number");
    return number;
}

result<elements> take_tagged(const field_specification& whole, std::string_view& left)
{
    elements parts;
    while (!left.empty()) {
        const auto tag = take_tag(*whole.tag, left);
        if (!tag)
            return tag.error();
        if (whole.part(*tag) == nullptr) // the error does not show it: it may be content
            return wrong("has a part that is not known to this dialect");
        const auto place = std::ranges::lower_bound(parts, *tag, {}, &element::number);
        if (place != parts.end() && place->number == *tag)
            return in_element(*tag, wrong("is repeated"));
        auto part = take_element(whole.part(*tag), *tag, left);
        if (!part)
            return part.error();
        parts.insert(place, *std::move(part));
    }
    return parts;
}

result<elements> take_in_a_row(const field_specification& whole, std::string_view& left)
{
    elements parts;
    for (const auto& field : whole.parts) {
        if (left.empty())
            break;
        auto part = take_element(&field, field.number, left);
        if (!part)
            return part.error();
        parts.push_back(*std::move(part));
    }
    return parts;
}

// All of `bytes` are these parts.
result<elements> read_parts(const field_specification& whole, std::string_view bytes)
{
    auto parts = whole.bitmap ? take_numbered(whole, bytes)
                 : whole.tag  ? take_tagged(whole, bytes)
                              : take_in_a_row(whole, bytes);
    if (parts && !bytes.empty())
        return wrong(fmt::format("has {} bytes after the last element", bytes.size()));
    return parts;
}

result<elements> take_composite(const field_specification& field, std::string_view& left)
{
    const auto length = take_length(field, left);
    if (!length)
        return length.error();
    const auto bytes = take(*length, left);
    if (!bytes)
        return bytes.error();
    return bytes->empty() ? elements{} : read_parts(field, *bytes);
}

result<element> take_element(const field_specification* field, unsigned number, std::string_view& left)
{
    if (field == nullptr)
        return in_element(number, wrong("is not known to this dialect"));
    element element{.number = number};
    if (field->has_parts()) {
        auto parts = take_composite(*field, left);
        if (!parts)
            return in_element(number, std::move(parts).error());
        element.parts = *std::move(parts);
    } else {
        auto text = take_text(*field, left);
        if (!text)
            return in_element(number, std::move(text).error());
        element.text = *std::move(text);
    }
    return element;
}

} // namespace

result<message> dialect::unpack(std::string_view bytes) const
{
    auto mti = take_text(specification_->mti, bytes);
    if (!mti)
        return problem{.field = "mti", .what = std::move(mti).error().what};
    auto all = read_parts(specification_->elements, bytes);
    if (!all)
        return std::move(all).error();
    return message{.mti = *std::move(mti), .elements = *std::move(all)};
}

} // namespace causeway::iso8583
