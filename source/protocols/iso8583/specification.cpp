#include "protocols/iso8583/specification.hpp"

#include "protocols/iso8583/dialect.hpp"
#include "protocols/iso8583/json_tree.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <string>
#include <utility>

namespace causeway::iso8583 {
namespace {

using kind = json_value::kind;
using form = length_prefix::form;

constexpr std::size_t deepest_nesting = 32;
constexpr std::size_t longest_element = 999'999;
constexpr unsigned last_element = 128;
constexpr unsigned announces_a_third_bitmap = 65;

template <class Value>
struct named {
    std::string_view name;
    Value value;
};

constexpr auto encodings = std::to_array<named<encoding>>({
    {"ASCII", encoding::ascii},
    {"EBCDIC", encoding::ebcdic},
    {"EBCDIC1047", encoding::ebcdic_1047},
    {"BCD", encoding::bcd},
    {"LBCD", encoding::left_bcd},
    {"Binary", encoding::binary},
    {"HexToASCII", encoding::hexadecimal},
    // The one of moov's encoders that turns hexadecimal digits, which is how text shows binary data here, into bytes.
    {"ASCIIToHex", encoding::binary},
});

enum class field_type { string, numeric, binary, track, bitmap, composite };

constexpr auto types = std::to_array<named<field_type>>({
    {"String", field_type::string},
    {"Numeric", field_type::numeric},
    {"Binary", field_type::binary},
    {"Hex", field_type::binary},
    {"Bitmap", field_type::bitmap},
    {"Track1", field_type::track},
    {"Track2", field_type::track},
    {"Track3", field_type::track},
    {"Composite", field_type::composite},
});

constexpr auto prefix_forms = std::to_array<named<form>>({
    {"ASCII", form::ascii},
    {"BCD", form::bcd},
    {"Hex", form::hex},
    {"EBCDIC", form::ebcdic},
    {"Binary", form::binary},
});

template <class Values>
std::string names_of(const Values& values)
{
    std::vector<std::string_view> names;
    for (const auto& value : values)
        names.push_back(value.name);
    return fmt::format("{}", fmt::join(names, ", "));
}

const json_value* find(const json_value& object, std::string_view name)
{
    const auto found = std::ranges::find(object.members, name, &json_value::name);
    return found == object.members.end() ? nullptr : &*found;
}

std::optional<unsigned> number_in(std::string_view digits)
{
    unsigned number = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, number);
    return error == std::errc() && stopped == end ? std::optional(number) : std::nullopt;
}

std::string_view counted_in(const field_specification& field)
{
    return is_of_bytes(field.written) || field.has_parts() ? "bytes" : "characters";
}

// Each function takes a value of the file and returns its meaning, or throws what is wrong with it.
class reader {
public:
    explicit reader(std::string_view name)
        : name_(name)
    {
    }

    specification read(std::string_view text) const
    {
        const auto root = parse_json(text, deepest_nesting);
        if (!root)
            refuse(root.error().line, "this cannot be read as JSON: " + root.error().what);
        require_members(*root, "a dialect", {"name", "fields"});
        const auto& fields = required(*root, "fields", kind::object, "an object of fields");
        require_members(fields, "fields", {});
        return {.mti = mti(fields), .elements = elements(fields)};
    }

private:
    [[noreturn]] void refuse(unsigned line, std::string_view what) const
    {
        throw dialect::error(fmt::format("{}:{}: {}", name_, line, what));
    }

    // Checks that it is an object, that no name is repeated, and that each is one of the known names, if any are given.
    void require_members(const json_value& object, std::string_view what,
                         std::initializer_list<std::string_view> known) const
    {
        if (object.is != kind::object)
            refuse(object.line, fmt::format("{} must be an object", what));
        for (auto member = object.members.begin(); member != object.members.end(); ++member) {
            const auto first = std::ranges::find(object.members.begin(), member, member->name, &json_value::name);
            if (first != member)
                refuse(member->line, fmt::format("\"{}\" is repeated; first in line {}", member->name, first->line));
            if (known.size() != 0 && std::ranges::find(known, member->name) == known.end())
                refuse(member->line,
                       fmt::format("{} has no \"{}\": it may have {}", what, member->name, fmt::join(known, ", ")));
        }
    }

    const json_value& required(const json_value& object, std::string_view name, kind is, std::string_view what) const
    {
        const auto* const member = find(object, name);
        if (member == nullptr)
            refuse(object.line, fmt::format("\"{}\" is missing: {}", name, what));
        if (member->is != is)
            refuse(member->line, fmt::format("\"{}\" must be {}", name, what));
        return *member;
    }

    template <class Values>
    auto one_of(const json_value& value, const Values& values) const
    {
        const auto found = std::ranges::find(values, value.text, [](const auto& named) { return named.name; });
        if (found == values.end())
            refuse(value.line,
                   fmt::format("\"{}\": there is no \"{}\"; there are {}", value.name, value.text, names_of(values)));
        return found->value;
    }

    field_type type(const json_value& field) const
    {
        return one_of(required(field, "type", kind::string, "a name such as \"Numeric\""), types);
    }

    std::size_t length(const json_value& object, std::size_t largest) const
    {
        const auto what = fmt::format("a whole number from 1 to {}", largest);
        const auto& value = required(object, "length", kind::number, what);
        const auto length = number_in(value.text);
        if (!length || *length < 1 || *length > largest)
            refuse(value.line, fmt::format("\"length\" must be {}", what));
        return *length;
    }

    encoding written(const json_value& object) const
    {
        const auto& value = required(object, "enc", kind::string, "a name such as \"ASCII\"");
        if (value.text == "BerTLVTag")
            refuse(value.line, "BER-TLV is not supported: make it one field of the type Binary, which holds all of it");
        return one_of(value, encodings);
    }

    length_prefix prefix(const json_value& field) const
    {
        const auto& value = required(field, "prefix", kind::string, "a name such as \"ASCII.Fixed\" or \"ASCII.LL\"");
        if (value.text == "BerTLV")
            refuse(value.line, "BER-TLV is not supported: make it one field of the type Binary, which holds all of it");
        if (value.text == "None.Fixed")
            return {.written = form::rest};
        const auto dot = std::min(value.text.find('.'), value.text.size());
        const auto length = std::string_view(value.text).substr(dot);
        const auto found = std::ranges::find(prefix_forms, value.text.substr(0, dot), &named<form>::name);
        if (found != prefix_forms.end()) {
            if (length == ".Fixed")
                return {};
            const std::size_t most = found->value == form::ascii ? 6 : 4;
            if (length.size() >= 2 && length.size() <= most + 1 && length.find_first_not_of('L', 1) == length.npos)
                return {.written = found->value, .digits = static_cast<unsigned>(length.size() - 1)};
        }
        refuse(value.line,
               fmt::format("\"prefix\": there is no \"{}\"; there are Fixed, L, LL, LLL and LLLL of {}, such "
                           "as ASCII.LL, and ASCII.LLLLL, ASCII.LLLLLL and None.Fixed",
                           value.text, names_of(prefix_forms)));
    }

    std::optional<padding> padding_of(const json_value& field) const
    {
        const auto* const value = find(field, "padding");
        if (value == nullptr)
            return std::nullopt;
        require_members(*value, "padding", {"type", "pad"});
        const auto& side = required(*value, "type", kind::string, "Left, Right or None");
        if (side.text == "None")
            return std::nullopt;
        if (side.text != "Left" && side.text != "Right")
            refuse(side.line,
                   fmt::format("\"type\": there is no padding \"{}\"; there are Left, Right, None", side.text));
        const auto& pad = required(*value, "pad", kind::string, "the padding character");
        if (pad.text.size() != 1 || pad.text[0] < ' ' || pad.text[0] > '~')
            refuse(pad.line, "\"pad\" must be one printable ASCII character");
        return padding{.on_the_left = side.text == "Left", .character = pad.text[0]};
    }

    // Checks that padding fits the other properties.
    void check_padding(const json_value& field, const field_specification& specification) const
    {
        if (!specification.padding)
            return;
        const auto line = find(field, "padding")->line;
        if (is_of_bytes(specification.written))
            refuse(line, "binary data cannot be padded: give as many bytes as the length says");
        if (specification.prefix.written != form::fixed)
            refuse(line, "only a field of fixed length can be padded; this one has a length prefix");
        const bool has_digits_only =
            specification.may_have == alphabet::digits || specification.may_have == alphabet::track;
        if (has_digits_only && !specification.padding->stays())
            refuse(line, "digits can be padded only with zeros on the left: {\"type\": \"Left\", \"pad\": \"0\"}");
    }

    void check_length(const json_value& field, const field_specification& specification) const
    {
        const auto& prefix = specification.prefix;
        if (specification.length > largest(prefix))
            refuse(find(field, "prefix")->line,
                   fmt::format("{} can count to {}, not to the length of {} {}", find(field, "prefix")->text,
                               largest(prefix), specification.length, counted_in(specification)));
        if (prefix.written == form::rest && is_of_halves(specification.written))
            refuse(find(field, "prefix")->line,
                   "None.Fixed takes all bytes that are left, which does not say how many BCD digits there are");
    }

    alphabet may_have(const json_value& field, field_type type, encoding written) const
    {
        const auto& enc = *find(field, "enc");
        const bool of_bytes = is_of_bytes(written);
        if (type == field_type::binary && !of_bytes)
            refuse(enc.line,
                   fmt::format("a field of bytes cannot be written in {}: use Binary or HexToASCII", enc.text));
        // moov's own specifications have String here, and mean hexadecimal digits.
        if (type == field_type::string && of_bytes && enc.text != "Binary")
            return alphabet::hexadecimal;
        if (type != field_type::binary && of_bytes)
            refuse(enc.line,
                   fmt::format("text cannot be written in {}: use ASCII, EBCDIC, EBCDIC1047, BCD or LBCD, or the "
                               "type Binary",
                               enc.text));
        if (type == field_type::numeric || (type == field_type::string && is_of_halves(written)))
            return alphabet::digits;
        if (type == field_type::track && is_of_halves(written))
            return alphabet::track;
        return of_bytes ? alphabet::hexadecimal : alphabet::printable;
    }

    field_specification with_text(const json_value& field, unsigned number, field_type type) const
    {
        require_members(field, "a field with text",
                        {"type", "length", "enc", "prefix", "padding", "description", "mask"});
        const auto how = written(field);
        field_specification specification{.number = number,
                                          .length = length(field, longest_element),
                                          .prefix = prefix(field),
                                          .written = how,
                                          .may_have = may_have(field, type, how),
                                          .padding = padding_of(field)};
        check_length(field, specification);
        check_padding(field, specification);
        return specification;
    }

    field_specification with_parts(const json_value& field, unsigned number) const
    {
        require_members(field, "a Composite",
                        {"type", "length", "prefix", "subfields", "tag", "bitmap", "padding", "description", "mask"});
        if (const auto* const padding = find(field, "padding"); padding != nullptr && padding_of(field))
            refuse(padding->line, "a Composite cannot be padded: its subfields can");
        field_specification specification{
            .number = number, .length = length(field, longest_element), .prefix = prefix(field)};
        if (const auto* const bits = find(field, "bitmap"))
            specification.bitmap = bitmap(*bits);
        if (const auto* const tag = find(field, "tag")) {
            specification.tag = tag_of(*tag);
            if (specification.bitmap && specification.tag)
                refuse(tag->line, "a Composite has a bitmap or tags, not both");
        }
        add_subfields(required(field, "subfields", kind::object, "an object of fields"), specification);
        check_length(field, specification);
        return specification;
    }

    void add_subfields(const json_value& subfields, field_specification& specification) const
    {
        require_members(subfields, "subfields", {});
        if (subfields.members.empty())
            refuse(subfields.line, "\"subfields\" must have at least one");
        const auto order = in_order(subfields, specification);
        for (const auto& [number, field] : order) {
            specification.parts.push_back(element(*field, number));
            const bool is_last_of_a_row = !specification.tag && !specification.bitmap && field == order.back().second;
            if (specification.parts.back().prefix.written == form::rest && !is_last_of_a_row)
                refuse(field->line,
                       "None.Fixed takes everything that is left: only the last of subfields without tags and "
                       "bitmap can have it");
        }
    }

    // The subfields in the order of their numbers.
    std::vector<std::pair<unsigned, const json_value*>> in_order(const json_value& subfields,
                                                                 const field_specification& specification) const
    {
        std::vector<std::pair<unsigned, const json_value*>> order;
        for (const auto& field : subfields.members)
            order.emplace_back(subfield_number(field, specification), &field);
        std::ranges::sort(order);
        for (std::size_t at = 1; at < order.size(); ++at)
            if (order[at - 1].first == order[at].first)
                refuse(order[at].second->line, fmt::format("subfield {} is repeated; first in line {}", order[at].first,
                                                           order[at - 1].second->line));
        return order;
    }

    unsigned subfield_number(const json_value& field, const field_specification& specification) const
    {
        const auto number = field.name.size() <= 6 ? number_in(field.name) : std::nullopt;
        if (!number)
            refuse(field.line,
                   fmt::format("\"{}\" is not a valid name of a subfield: names are numbers of at most six digits",
                               field.name));
        if (specification.tag && std::to_string(*number).size() > specification.tag->digits())
            refuse(field.line, fmt::format("\"{}\" is longer than a tag", field.name));
        if (const auto& bits = specification.bitmap; bits && !has_bit(*bits, *number))
            refuse(field.line, fmt::format("\"{}\" has no bit in the bitmap", field.name));
        return *number;
    }

    static bool has_bit(const bitmap_form& bitmap, unsigned number)
    {
        if (bitmap.grows)
            return number >= 2 && number <= 16 * bitmap.size && number != announces_a_third_bitmap;
        return number >= 1 && number <= 8 * bitmap.size;
    }

    // Nothing when it only says how subfields are sorted, which here is always by number.
    std::optional<tag_form> tag_of(const json_value& value) const
    {
        require_members(value, "tag", {"length", "enc", "padding", "sort", "skipUnknownTLVTags"});
        if (const auto* const sort = find(value, "sort");
            sort != nullptr && sort->text != "StringsByInt" && sort->text != "StringsByHex")
            refuse(sort->line, "\"sort\" must be StringsByInt or StringsByHex");
        if (const auto* const skip = find(value, "skipUnknownTLVTags"); skip != nullptr && skip->text != "false")
            refuse(skip->line, "unknown tags are not skipped: part of the message would be lost");
        if (const auto filled_up = padding_of(value); filled_up && !filled_up->stays())
            refuse(find(value, "padding")->line, "tags can be padded only with zeros on the left");
        if (find(value, "enc") == nullptr)
            return std::nullopt;
        const auto how = written(value);
        const auto& enc = *find(value, "enc");
        if (is_of_bytes(how) && enc.text != "ASCIIToHex")
            refuse(enc.line, "tags are written in ASCII, EBCDIC, EBCDIC1047, BCD, LBCD or ASCIIToHex");
        constexpr std::size_t longest_tag = 6;
        return tag_form{.written = how, .length = length(value, is_of_bytes(how) ? longest_tag / 2 : longest_tag)};
    }

    bitmap_form bitmap(const json_value& value) const
    {
        require_members(value, "a Bitmap",
                        {"type", "length", "enc", "prefix", "disableAutoExpand", "description", "mask"});
        if (type(value) != field_type::bitmap)
            refuse(find(value, "type")->line, "\"type\" must be Bitmap");
        const auto how = written(value);
        if (!is_of_bytes(how))
            refuse(find(value, "enc")->line, "a bitmap is written in Binary or HexToASCII");
        if (prefix(value).is_written())
            refuse(find(value, "prefix")->line, "a bitmap has a fixed length: \"Binary.Fixed\" or \"Hex.Fixed\"");
        const auto* const fixed = find(value, "disableAutoExpand");
        if (fixed != nullptr && fixed->is != kind::boolean)
            refuse(fixed->line, "\"disableAutoExpand\" must be true or false");
        const auto size = find(value, "length") == nullptr ? 8 : length(value, last_element / 8);
        if (fixed != nullptr && fixed->text == "true")
            return {.written = how, .size = size, .grows = false};
        if (size != 8 && size != 16)
            refuse(find(value, "length")->line,
                   "\"length\" of a bitmap must be 8, or 16, which means the same: the second "
                   "half is there when the first bit says so. With \"disableAutoExpand\": "
                   "true it may be any from 1 to 16");
        return {.written = how};
    }

    // What may be shown in a log is the same for all dialects, so that none can show more: "mask" is for other
    // programs.
    field_specification element(const json_value& field, unsigned number) const
    {
        if (field.is != kind::object)
            refuse(field.line, "a field must be an object");
        switch (const auto is = type(field)) {
        case field_type::composite:
            return with_parts(field, number);
        case field_type::bitmap:
            refuse(field.line, "only field 1 and the \"bitmap\" of a Composite can be a Bitmap");
        default:
            return with_text(field, number, is);
        }
    }

    field_specification mti(const json_value& fields) const
    {
        const auto& field = required(fields, "0", kind::object, "the field for the message type indicator");
        auto specification = element(field, 0);
        if (specification.prefix.written != form::fixed || specification.length != 4 || specification.has_parts() ||
            is_of_bytes(specification.written))
            refuse(field.line, "field 0, the message type indicator, must be text of the fixed length 4");
        specification.may_have = alphabet::digits;
        specification.padding.reset();
        return specification;
    }

    field_specification elements(const json_value& fields) const
    {
        for (const auto& field : fields.members)
            if (const auto number = number_in(field.name);
                !number || *number > last_element || field.name != std::to_string(*number))
                refuse(field.line,
                       fmt::format(
                           "\"{}\" is not a valid name of a field: names are 0, for the message type indicator, to "
                           "128, without leading zeros",
                           field.name));
        field_specification specification;
        specification.bitmap = bitmap(required(fields, "1", kind::object, "the field for the bitmap"));
        for (unsigned number = 2; number <= last_element; ++number)
            if (const auto* const field = find(fields, std::to_string(number)))
                specification.parts.push_back(in_message(*field, number, *specification.bitmap));
        if (!specification.has_parts())
            refuse(fields.line, "\"fields\" must have at least one from 2 to 128");
        return specification;
    }

    field_specification in_message(const json_value& field, unsigned number, const bitmap_form& bitmap) const
    {
        if (!has_bit(bitmap, number))
            refuse(field.line, number == announces_a_third_bitmap
                                   ? "field 65 would announce a third bitmap, which is not supported"
                                   : fmt::format("field {} has no bit in the bitmap, field 1", number));
        auto specification = element(field, number);
        if (specification.prefix.written == form::rest)
            refuse(field.line, "None.Fixed takes everything that is left: only the last of subfields can have it");
        return specification;
    }

    std::string_view name_;
};

} // namespace

const field_specification* field_specification::part(unsigned wanted) const noexcept
{
    const auto found = std::ranges::lower_bound(parts, wanted, {}, &field_specification::number);
    return found != parts.end() && found->number == wanted ? &*found : nullptr;
}

specification parse_specification(std::string_view text, std::string_view name) { return reader(name).read(text); }

} // namespace causeway::iso8583
