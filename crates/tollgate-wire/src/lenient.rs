//! Reading JSON that may be of any type, without building it: what is of another type than was
//! hoped for says nothing, and never fails the whole. Not a validation of anything.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::scan::reader::{self, Reader};

/// A count; hosts also write it as a whole float.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figure(pub(crate) Option<u64>);

/// A text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Word(pub(crate) Option<String>);

/// An object. Its fields fail as `T` says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object<T>(pub(crate) Option<T>);

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// What the types of JSON say; by default nothing.
trait Said<'de>: Default {
    fn count(_: u64) -> Self {
        Self::default()
    }

    fn float(_: f64) -> Self {
        Self::default()
    }

    fn text(_: &str) -> Self {
        Self::default()
    }

    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Self, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::default())
    }
}

impl Figure {
    /// The same, taken from a reader.
    #[inline]
    pub(crate) fn seen(value: &mut Reader<'_>) -> Option<Self> {
        if !matches!(value.peek()?, b'-' | b'0'..=b'9') {
            return value.skip().map(|_| Self(None));
        }
        let written = value.number()?;
        if let Some(count) = reader::count(written) {
            return Some(Self(Some(count)));
        }
        let number = std::str::from_utf8(written).ok()?.parse::<f64>().ok()?;
        number.is_finite().then(|| Self::float(number))
    }
}

impl Word {
    /// The same, taken from a reader.
    pub(crate) fn seen(value: &mut Reader<'_>) -> Option<Self> {
        if value.peek()? != b'"' {
            return value.skip().map(|_| Self(None));
        }
        Some(Self(value.text()?.map(Cow::into_owned)))
    }
}

impl<T> Object<T> {
    /// The same, taken from a reader; `take` takes the fields.
    pub(crate) fn seen<'a>(
        value: &mut Reader<'a>,
        take: impl FnOnce(&mut Reader<'a>) -> Option<T>,
    ) -> Option<Self> {
        match value.peek()? {
            b'{' => take(value).map(|all| Self(Some(all))),
            _ => value.skip().map(|_| Self(None)),
        }
    }
}

impl Said<'_> for Figure {
    fn count(count: u64) -> Self {
        Self(Some(count))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be whole, positive and small"
    )]
    fn float(number: f64) -> Self {
        let whole = number.fract() == 0.0 && (0.0..9.0e15).contains(&number);
        Self(whole.then_some(number as u64))
    }
}

impl Said<'_> for Word {
    fn text(text: &str) -> Self {
        Self(Some(text.to_owned()))
    }
}

impl<'de, T: Deserialize<'de>> Said<'de> for Object<T> {
    fn object<A: MapAccess<'de>>(object: A) -> Result<Self, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(|all| Self(Some(all)))
    }
}

struct AnyType<T>(PhantomData<T>);

impl<'de, T: Said<'de>> Visitor<'de> for AnyType<T> {
    type Value = T;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("any JSON")
    }

    fn visit_u64<E>(self, count: u64) -> Result<T, E> {
        Ok(T::count(count))
    }

    fn visit_i64<E>(self, number: i64) -> Result<T, E> {
        Ok(u64::try_from(number).map(T::count).unwrap_or_default())
    }

    fn visit_f64<E>(self, number: f64) -> Result<T, E> {
        Ok(T::float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(T::text(text))
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
        T::object(object)
    }
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyType(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyType(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyType(PhantomData))
    }
}
