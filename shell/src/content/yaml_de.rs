//! Reading types from a YAML tree with serde; see [`super::yaml`] for why scalars wait for their field.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::yaml::{Entry, Mark, Node, Value};

/// What did not fit, and the innermost place known.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) mark: Option<Mark>,
    pub(super) what: String,
}

impl Misfit {
    fn at(mut self, mark: Mark) -> Self {
        self.mark.get_or_insert(mark);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self { mark: None, what: what.to_string() }
    }
}

/// A node as a source of types.
pub(super) struct From<'n>(pub(super) &'n Node);

impl From<'_> {
    fn number<N: std::str::FromStr>(&self, wanted: &str) -> Result<N, Misfit> {
        let found = match &self.0.value {
            Value::Scalar { text, plain: true } => text.parse().ok(),
            _ => None,
        };
        found.ok_or_else(|| Misfit { mark: Some(self.0.mark), what: format!("{wanted} is wanted here") })
    }

    fn is_null(&self) -> bool {
        matches!(&self.0.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }
}

macro_rules! whole_numbers {
    ($($read:ident $visit:ident)*) => {
        $(fn $read<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            visitor.$visit(self.number("a whole number")?).map_err(|e: Misfit| e.at(self.0.mark))
        })*
    };
}

impl<'de> Deserializer<'de> for From<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let mark = self.0.mark;
        match &self.0.value {
            Value::Scalar { text, .. } => visitor.visit_str(text),
            Value::List(nodes) => visitor.visit_seq(List(nodes.iter())),
            Value::Map(entries) => visitor.visit_map(Map { entries: entries.iter(), value: None }),
        }
        .map_err(|e: Misfit| e.at(mark))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_bool(self.number("true or false")?)
    }

    whole_numbers! {
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let mark = self.0.mark;
        visitor.visit_newtype_struct(self).map_err(|e: Misfit| e.at(mark))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let mark = self.0.mark;
        match &self.0.value {
            Value::Scalar { text, .. } => visitor.visit_enum(Variant { name: text, mark, data: None }),
            Value::Map(entries) => match entries.as_slice() {
                [Entry { key, mark, node }] => {
                    visitor.visit_enum(Variant { name: key, mark: *mark, data: Some(node) })
                }
                _ => Err(de::Error::custom("a word, or a map of one key, is wanted here")),
            },
            Value::List(_) => Err(de::Error::custom("a word, or a map of one key, is wanted here")),
        }
        .map_err(|e: Misfit| e.at(mark))
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

struct List<'n>(std::slice::Iter<'n, Node>);

impl<'de> SeqAccess<'de> for List<'_> {
    type Error = Misfit;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        self.0.next().map(|node| seed.deserialize(From(node)).map_err(|e| e.at(node.mark))).transpose()
    }
}

struct Map<'n> {
    entries: std::slice::Iter<'n, Entry>,
    value: Option<&'n Entry>,
}

impl<'de> MapAccess<'de> for Map<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some(entry) = self.entries.next() else { return Ok(None) };
        self.value = Some(entry);
        let key = Node { mark: entry.mark, value: Value::Scalar { text: entry.key.clone(), plain: true } };
        seed.deserialize(From(&key)).map(Some).map_err(|e| e.at(entry.mark))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let entry = self.value.take().ok_or_else(|| Misfit { mark: None, what: "a key is wanted".into() })?;
        seed.deserialize(From(&entry.node)).map_err(|e| e.at(entry.node.mark))
    }
}

struct Variant<'n> {
    name: &'n str,
    mark: Mark,
    data: Option<&'n Node>,
}

impl<'n, 'de> EnumAccess<'de> for Variant<'n> {
    type Error = Misfit;
    type Variant = Data<'n>;
    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Data<'n>), Misfit> {
        let name: StrDeserializer<'_, Misfit> = de::IntoDeserializer::into_deserializer(self.name);
        let value = seed.deserialize(name).map_err(|e| e.at(self.mark))?;
        Ok((value, Data { mark: self.mark, data: self.data }))
    }
}

/// What follows the word of an enum.
struct Data<'n> {
    mark: Mark,
    data: Option<&'n Node>,
}

impl<'n> Data<'n> {
    fn node(&self) -> Result<From<'n>, Misfit> {
        let what = "this word needs a value: write `word: value`".to_owned();
        self.data.map(From).ok_or(Misfit { mark: Some(self.mark), what })
    }
}

impl<'de> VariantAccess<'de> for Data<'_> {
    type Error = Misfit;
    fn unit_variant(self) -> Result<(), Misfit> {
        match self.data {
            None => Ok(()),
            Some(_) => Err(Misfit { mark: Some(self.mark), what: "this word takes no value".into() }),
        }
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        seed.deserialize(self.node()?)
    }
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.node()?.deserialize_any(visitor)
    }
    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.node()?.deserialize_any(visitor)
    }
}
